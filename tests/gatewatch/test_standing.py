"""What one room writes of how things stand, the other reads."""

from __future__ import annotations

from pathlib import Path

from gatewatch.standing import EndpointStanding, Lately
from gatewatch.status_file import write_status
from queries.conditions.reading import read


def test_what_the_forwarder_tells_is_what_conditions_are_decided_from(tmp_path: Path) -> None:
    standing = EndpointStanding(endpoint="vpce-1", zone="us-east-1a", target_group="g", state="no_target", since_s=1.5, packets=7)
    lately = Lately(name="dropped send_failed", added=3, since_s=2.0)
    write_status(tmp_path, "forwarder", 5.0, {"standing": [standing], "lately": [lately]})
    told = read(tmp_path).services["forwarder"]
    assert (told.standing, told.lately) == ([standing], [lately])
