"""Apache Kafka in KRaft mode, one node, from jars that Maven fetched: what durability and outages are tested on."""

import asyncio
import os
import re
import shutil
import subprocess
from pathlib import Path

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError

from local.errors import ServerFailedError, ServerUnavailableError
from local.ports import LOOPBACK, accepts_connections, free_port
from local.process import ServerProcess

POM = Path(__file__).parent / "kafka" / "pom.xml"
JARS = POM.parent / "target" / "jars"
FETCHED = POM.parent / "target" / "fetched"  # written last: an interrupted fetch does not pass for a whole one
OLDEST_JAVA = 17
CLUSTER_ID = "aHVpcXVuLWxvY2FsLWthZg"
READY_SECONDS = 60.0

SERVER_PROPERTIES = """\
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@{host}:{controller}
controller.listener.names=CONTROLLER
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}
advertised.listeners=PLAINTEXT://{host}:{advertised}
log.dirs={data}
auto.create.topics.enable=false
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
offsets.topic.num.partitions=8
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
log.cleaner.dedupe.buffer.size=16777216
broker.session.timeout.ms=3000
broker.heartbeat.interval.ms=500
"""
# The session timeout is how long a killed broker's registration keeps its successor waiting.


def java_binary() -> str:
    """Find Java 17 or newer: $JAVA_HOME, then the PATH."""
    home = os.environ.get("JAVA_HOME")
    java = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if not java or not os.access(java, os.X_OK):
        reason = f"Apache Kafka needs Java {OLDEST_JAVA} or newer, and no java was found (JAVA_HOME, then PATH)."
        raise ServerUnavailableError(reason)
    said = subprocess.run([java, "-version"], capture_output=True, text=True, check=False).stderr
    version = re.search(r'version "(\d+)', said)
    if not version or int(version[1]) < OLDEST_JAVA:
        found = said.partition("\n")[0] or "a java that does not run"
        reason = f"Apache Kafka needs Java {OLDEST_JAVA} or newer; {java} is {found}."
        raise ServerUnavailableError(reason)
    return java


def fetch() -> None:
    """Let Maven bring the jars that the pom names; do nothing when they are there already."""
    java_binary()
    if FETCHED.exists() and FETCHED.stat().st_mtime >= POM.stat().st_mtime:
        return
    maven = shutil.which("mvn")
    if not maven:
        reason = "Apache Kafka is fetched by Maven, and no mvn was found on the PATH."
        raise ServerUnavailableError(reason)
    shutil.rmtree(JARS, ignore_errors=True)
    done = subprocess.run([maven, "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"], check=False)
    if done.returncode:
        reason = f"Maven could not fetch Apache Kafka (exit code {done.returncode}, see above)."
        raise ServerUnavailableError(reason)
    FETCHED.touch()


class ApacheKafka:
    """Kafka on a loopback port with its log in a directory, which is kept over stop, kill and start."""

    durable = True
    producer_ids = True

    def __init__(self, directory: Path, advertise: int | None = None) -> None:
        self._java = [java_binary(), "-Xms128m", "-Xmx512m", "-cp", str(JARS / "*")]
        if not FETCHED.exists():
            reason = "Apache Kafka has not been fetched yet: run `make kafka`."
            raise ServerUnavailableError(reason)
        self.port = free_port()
        self.advertised_port = advertise or self.port
        self._data = directory / "kafka"
        self._properties = directory / "kafka.properties"
        self._controller_port = free_port()
        self._log = directory / "kafka.log"
        command = [*self._java, "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn", "kafka.Kafka", str(self._properties)]
        self.process = ServerProcess("Apache Kafka", command, self._log)

    @property
    def bootstrap(self) -> str:
        return f"{LOOPBACK}:{self.advertised_port}"

    async def start(self) -> None:
        """Start it and return when it serves; the first start formats the directory."""
        if not self._data.exists():
            await asyncio.to_thread(self._format)
        self._write_properties()
        self.process.spawn()
        await self.process.until(self._serves, READY_SECONDS)

    async def stop(self) -> None:
        await self.process.stop(seconds=30)

    async def kill(self) -> None:
        await self.process.kill()

    def _write_properties(self) -> None:
        ports = {"port": self.port, "controller": self._controller_port, "advertised": self.advertised_port}
        text = SERVER_PROPERTIES.format(host=LOOPBACK, data=self._data, **ports)
        self._properties.write_text(text, encoding="utf-8")

    def _format(self) -> None:
        self._write_properties()
        tool = ["kafka.tools.StorageTool", "format", "-t", CLUSTER_ID, "-c", str(self._properties)]
        done = subprocess.run([*self._java, "-XX:TieredStopAtLevel=1", *tool], capture_output=True, check=False)
        self._log.write_bytes(done.stdout + done.stderr)
        if done.returncode:
            raise ServerFailedError(self.process.name, "could not format its directory", self._log)

    async def _serves(self) -> bool:
        """Listening is not enough: the broker must have registered with the controller, which its metadata shows."""
        if not accepts_connections(self.port):
            return False
        client = AIOKafkaClient(bootstrap_servers=f"{LOOPBACK}:{self.port}", request_timeout_ms=2000)
        try:
            await client.bootstrap()
            return bool(client.cluster.brokers())
        except KafkaError:
            return False
        finally:
            await client.close()
