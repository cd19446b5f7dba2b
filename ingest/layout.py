"""Where rows go in the lake: folder and file name from table, account, region and hour.

Flow logs: AWS's Hive-compatible, hourly layout (Amazon VPC User Guide, "Publish flow logs to Amazon S3", "Flow log
files"), so that whatever reads AWS's Parquet flow logs reads these.  AWS names a file by the end of its five minutes;
here it is the minute of the first row.  The others: `<table>/date=YYYY-MM-DD/hour=HH/`.
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

HOUR_S = 3600
_ACCOUNT = re.compile(r"\d{12}")
_REGION = re.compile(r"[a-z0-9-]{1,32}")


def flow_log_folder(account_id: str | None, region: str | None, hour: int) -> str:
    """Folder of an hour (hours since 1970, UTC) of an account's flow logs; `unknown` for a name that is none."""
    at = datetime.fromtimestamp(hour * HOUR_S, UTC)
    return (
        f"flow_logs/AWSLogs/aws-account-id={_named(_ACCOUNT, account_id)}/aws-service=vpcflowlogs"
        f"/aws-region={_named(_REGION, region)}/year={at:%Y}/month={at:%m}/day={at:%d}/hour={at:%H}"
    )


def flow_log_file(account_id: str | None, region: str | None, first_s: int, unique: str) -> str:
    """Name of a file whose first row is of that time; `unique` keeps it apart from all others."""
    account, place = _named(_ACCOUNT, account_id), _named(_REGION, region)
    at = datetime.fromtimestamp(first_s, UTC)
    return f"{account}_vpcflowlogs_{place}_{flow_log_id(account, place)}_{at:%Y%m%d}T{at:%H%M}Z_{unique}.log.parquet"


def flow_log_id(account_id: str, region: str) -> str:
    """The id of the one flow log that gatewatch keeps in an account and region."""
    return "fl-" + hashlib.sha256(f"gatewatch {account_id} {region}".encode()).hexdigest()[:17]


def table_folder(table: str, hour: int) -> str:
    """Folder of an hour of any other table."""
    at = datetime.fromtimestamp(hour * HOUR_S, UTC)
    return f"{table}/date={at:%Y-%m-%d}/hour={at:%H}"


def table_file(first_s: int, unique: str) -> str:
    """Name of a file of any other table."""
    return f"{datetime.fromtimestamp(first_s, UTC):%Y%m%dT%H%M}Z_{unique}.parquet"


def _named(pattern: re.Pattern[str], name: str | None) -> str:
    # The value comes from a record, and becomes part of a path.
    return name if name is not None and pattern.fullmatch(name) else "unknown"
