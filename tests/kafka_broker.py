"""A real Apache Kafka 4: one KRaft node on free loopback ports, for tests and for trying things by hand.

`python tests/kafka_broker.py --port 19092` runs one until Ctrl-C.  The jars come from Maven Central once, by the POM in
`tests/kafka/`, into `.cache/kafka-libs`.  Needs Java 17 and Maven; `missing()` says which is not there.
"""

from __future__ import annotations

import argparse
import fcntl
import gc
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))  # for `python tests/kafka_broker.py`
from tests.ports import free_port

__all__ = ["KafkaBroker", "free_port", "kafka_broker", "missing", "own_kafka_broker"]

ROOT = Path(__file__).parents[1]
POM = ROOT / "tests" / "kafka" / "pom.xml"
LIBRARIES = ROOT / ".cache" / "kafka-libs"
START_S_MAX = 180.0
STOP_S_MAX = 60.0
FETCH_S_MAX = 600.0
#: 16 bytes in base64, as `kafka.tools.StorageTool random-uuid` prints.
CLUSTER_ID = "Z2F0ZXdhdGNoLXRlc3RzAA"
# ApiVersions, version 0, correlation 1, no client id: the first thing any client asks.
_API_VERSIONS = bytes.fromhex("0000000a 0012 0000 00000001 ffff")

_PROPERTIES = """\
process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller_port}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:{controller_port}
log.dirs={folder}/log
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
"""


def missing() -> str:
    """What this machine lacks to run a broker; empty when nothing."""
    absent = [program for program in ("java", "mvn") if shutil.which(program) is None]
    return f"a Kafka broker needs {' and '.join(absent)} (Debian: openjdk-17-jre-headless, maven)" if absent else ""


def fetch_libraries() -> Path:
    """The folder with the broker's jars, fetched if this POM's are not there yet."""
    LIBRARIES.parent.mkdir(exist_ok=True)
    with LIBRARIES.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two test runs in one clone fetch once
        return _fetched()


def _fetched() -> Path:
    stamp = LIBRARIES / "pom.xml"
    if stamp.exists() and stamp.read_bytes() == POM.read_bytes():
        return LIBRARIES
    shutil.rmtree(LIBRARIES, ignore_errors=True)
    subprocess.run(
        ["mvn", "-q", "-B", "-f", POM, "dependency:copy-dependencies", f"-DoutputDirectory={LIBRARIES}",
         "-DincludeScope=runtime"],
        check=True, timeout=FETCH_S_MAX, stdin=subprocess.DEVNULL,
    )
    shutil.copy(POM, stamp)
    return LIBRARIES


class KafkaBroker:
    """One broker with its data in `folder`; it may be stopped, killed and started again with the same data."""

    def __init__(self, folder: Path, *, port: int | None = None) -> None:
        self.folder = folder
        self.port = port or free_port()
        self.bootstrap = f"127.0.0.1:{self.port}"
        self._properties = folder / "server.properties"
        self._process: subprocess.Popen[bytes] | None = None
        self._classes = f"{fetch_libraries()}/*"

    def start(self) -> None:
        """Format the data folder if it is new, start, and wait until clients are answered."""
        if not self._properties.exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            self._properties.write_text(
                _PROPERTIES.format(port=self.port, controller_port=free_port(), folder=self.folder), encoding="utf-8"
            )
            self._java("kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties)).wait(START_S_MAX)
        self._process = self._java("kafka.Kafka", str(self._properties))
        until_s = time.monotonic() + START_S_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until_s:
                self.kill()
                raise RuntimeError(f"Kafka did not start; its last words:\n{self._last_words()}")
            time.sleep(0.1)

    def stop(self) -> None:
        """SIGTERM, and wait."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_S_MAX)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """SIGKILL: what a broker host that dies looks like to clients."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _java(self, *arguments: str) -> subprocess.Popen[bytes]:
        with (self.folder / "broker.log").open("ab") as log:
            return subprocess.Popen(
                ["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", self._classes, *arguments],
                cwd=self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )

    def _answers(self) -> bool:
        try:
            with socket.create_connection(("127.0.0.1", self.port), timeout=1.0) as connection:
                connection.sendall(_API_VERSIONS)
                return len(connection.recv(8)) > 0
        except OSError:
            return False

    def _last_words(self) -> str:
        return (self.folder / "broker.log").read_text(encoding="utf-8", errors="replace")[-4000:]


@pytest.fixture(scope="module")
def kafka_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`host:port` of a broker that the tests of a module share; skips where Java or Maven is missing.

    Not of the session: a new data folder reads the topics from their beginning, other modules' messages too.
    """
    if missing():
        pytest.skip(missing())
    broker = KafkaBroker(tmp_path_factory.mktemp("kafka"))
    broker.start()
    try:
        yield broker.bootstrap
    finally:
        broker.stop()
        _collect_clients()


@pytest.fixture
def own_kafka_broker(tmp_path: Path) -> Iterator[KafkaBroker]:
    """A started broker of the test's own, to stop and kill."""
    if missing():
        pytest.skip(missing())
    broker = KafkaBroker(tmp_path / "kafka")
    broker.start()
    try:
        yield broker
    finally:
        broker.stop()
        _collect_clients()


def _collect_clients() -> None:
    # kafka-python forgets sockets whose connection was refused.  Collected here, where the filter of `conftest.py` holds;
    # after the last test it does not.
    gc.collect()


def main() -> int:
    """Run a broker until SIGINT or SIGTERM."""
    parser = argparse.ArgumentParser(description="Run one Apache Kafka broker on loopback until Ctrl-C.")
    parser.add_argument("--port", type=int, default=19092, help="port clients connect to (default 19092)")
    parser.add_argument("--folder", type=Path, help="data folder to keep; without it a temporary one is used")
    arguments = parser.parse_args()
    if missing():
        print(missing(), file=sys.stderr)
        return 1
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with tempfile.TemporaryDirectory(prefix="gatewatch-kafka-") as temporary:
        broker = KafkaBroker((arguments.folder or Path(temporary)).absolute(), port=arguments.port)
        broker.start()
        print(f"Kafka answers on {broker.bootstrap}; use --bus kafka://{broker.bootstrap}", flush=True)
        try:
            stop.wait()
        finally:
            broker.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
