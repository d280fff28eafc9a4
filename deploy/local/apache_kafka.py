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
from local.secured_kafka import SecuredListeners

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
listeners=PLAINTEXT://{host}:{port},CONTROLLER://{host}:{controller}{further}
advertised.listeners=PLAINTEXT://{host}:{advertised}{further}
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL
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
    """Kafka on a loopback port with its log in a directory, which is kept over stop, kill and start.

    `secured` opens further ports, for clients that sign in.
    """

    durable = True
    producer_ids = True

    def __init__(
        self,
        directory: Path,
        advertise: int | None = None,
        secured: SecuredListeners | None = None,
        cluster_id: str = CLUSTER_ID,
    ) -> None:
        self._java = [java_binary(), "-Xms128m", "-Xmx512m", "-cp", str(JARS / "*")]
        if not FETCHED.exists():
            reason = "Apache Kafka has not been fetched yet: run `make kafka`."
            raise ServerUnavailableError(reason)
        self.port = free_port()
        self.advertised_port = advertise or self.port
        self._secured = secured
        self._cluster_id = cluster_id
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
        """Start it and return when it serves; the first start formats the directory.

        ServerFailedError, with what Kafka says, if the directory is that of another cluster.
        """
        if self._cluster_id != self._cluster_of_data():
            await asyncio.to_thread(self._format)
        self._write_properties()
        self.process.spawn()
        await self.process.wait_until(self._serves, READY_SECONDS)

    async def stop(self) -> None:
        await self.process.stop(seconds=30)

    async def kill(self) -> None:
        await self.process.kill()

    def _write_properties(self) -> None:
        ports = {"port": self.port, "controller": self._controller_port, "advertised": self.advertised_port}
        further = "".join(f",{address}" for address in self._secured.addresses) if self._secured else ""
        text = SERVER_PROPERTIES.format(host=LOOPBACK, data=self._data, further=further, **ports)
        text += self._secured.properties if self._secured else ""
        self._properties.touch(mode=0o600)
        self._properties.write_text(text, encoding="utf-8")

    def _format(self) -> None:
        self._write_properties()
        tool = ["kafka.tools.StorageTool", "format", "--ignore-formatted", "-t", self._cluster_id]
        tool += ["-c", str(self._properties), *(self._secured.format_arguments if self._secured else ())]
        done = subprocess.run([*self._java, "-XX:TieredStopAtLevel=1", *tool], capture_output=True, check=False)
        self._log.write_bytes(done.stdout + done.stderr)
        if done.returncode:
            raise ServerFailedError(self.process.name, "could not format its directory", self._log)

    def _cluster_of_data(self) -> str | None:
        """The id of the cluster that the directory is of; None before it is formatted."""
        noted = self._data / "meta.properties"
        found = re.search(r"^cluster\.id=(.+)$", noted.read_text(), re.MULTILINE) if noted.exists() else None
        return found[1] if found else None

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
