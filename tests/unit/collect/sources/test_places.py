"""Files in places: a folder, a web server, a real SFTP server; each new one is read once, archives with care."""

from __future__ import annotations

import bz2
import gzip
import lzma
import os
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.files.places import FilesSettings, FilesSource
from onefold.model.errors import InvalidInput, OnefoldError, Unreachable
from onefold.model.pulled import Batch
from onefold.testing.patience import wait_until
from onefold.testing.servers import free_port, listens
from tests.web_servers import serving

LOOPBACK = Reach(["127.0.0.0/8"])


def source(location: object, **settings: Any) -> FilesSource:
    return FilesSource(FilesSettings(location=str(location), **settings), LOOPBACK)


def run(made: FilesSource, position: Any = None) -> tuple[list[Batch], Any]:
    """Read to the end, each batch being durable; the batches and the last position."""
    found = []
    for batch in made.batches(position):
        found.append(batch)
        made.stored(batch.position)
        position = batch.position
    return found, position


def ids(batches: list[Batch]) -> list[str]:
    return [one.fields["id"] for batch in batches for one in batch.records]


def write(file: Path, *names: str) -> Path:
    file.write_text("id,name\n" + "".join(f"{one},x\n" for one in names))
    return file


def test_each_new_file_of_a_folder_is_read_once(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "1", "2")
    made = source(tmp_path / "*.csv")
    batches, position = run(made)
    assert ids(batches) == ["1", "2"]
    assert ids(run(made, position)[0]) == []
    write(tmp_path / "b.csv", "3")
    batches, position = run(made, position)
    assert ids(batches) == ["3"]


@pytest.mark.parametrize(
    ("new_by", "touched", "changed"),
    [("name", [], []), ("time", ["1"], ["2"]), ("content", [], ["2"])],
)
def test_what_makes_a_file_new(
    tmp_path: Path, new_by: str, touched: list[str], changed: list[str]
) -> None:
    file = write(tmp_path / "a.csv", "1")
    made = source(tmp_path / "*.csv", new_by=new_by)
    _, position = run(made)
    os.utime(file, (1, 1))
    batches, position = run(made, position)
    assert ids(batches) == touched
    write(file, "2")
    assert ids(run(made, position)[0]) == changed


def test_reading_goes_on_within_a_file(tmp_path: Path) -> None:
    for name in "ab":
        rows = [f"{name}{n},{'x' * 300}" for n in range(12_000)]
        (tmp_path / f"{name}.csv").write_text("id,name\n" + "\n".join(rows) + "\n")
    batches = list(source(tmp_path / "*").batches(None))
    for at, batch in enumerate(batches):
        rest = ids(list(source(tmp_path / "*").batches(batch.position)))
        assert rest == ids(batches[at + 1 :])


@pytest.mark.parametrize("after", ["delete", "archive"])
def test_files_are_put_away_once_they_are_durable(tmp_path: Path, after: str) -> None:
    file = write(tmp_path / "a.csv", "1")
    archive = tmp_path / "done"
    made = source(tmp_path / "*.csv", after=after, archive=str(archive))
    for batch in made.batches(None):
        assert file.exists()
        made.stored(batch.position)
    assert not file.exists()
    assert (archive / "a.csv").exists() == (after == "archive")


def test_what_a_crash_kept_from_being_put_away_is_put_away_later(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "1")
    settings = {"after": "delete"}
    *_, last = source(tmp_path / "*.csv", **settings).batches(None)
    assert file.exists()
    batches, _ = run(source(tmp_path / "*.csv", **settings), last.position)
    assert (ids(batches), file.exists()) == ([], False)


def test_archives_are_read_and_one_that_is_none_costs_no_other(tmp_path: Path) -> None:
    write(tmp_path / "x.csv", "1")
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.write(tmp_path / "x.csv", "inner/x.csv")
        archive.writestr("y.ndjson", '{"id": "2"}\n')
    (tmp_path / "b.csv.gz").write_bytes(gzip.compress(b"id,name\n3,x\n"))
    (tmp_path / "c.zip").write_bytes(b"PK\x03\x04 broken")
    (tmp_path / "x.csv").unlink()
    batches, _ = run(source(tmp_path / "*"))
    assert ids(batches) == ["1", "2", "3"]
    (lost,) = [one for batch in batches for one in batch.unreadable]
    assert lost.stream == "c.zip"


def zipped(path: Path, name: str, data: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("../../etc/x.csv", b"id\n1\n", "leads out of it"),
        ("/etc/x.csv", b"id\n1\n", "leads out of it"),
        ("..\\x.csv", b"id\n1\n", "leads out of it"),
        ("x.zip", b"", "archive within"),
        ("bomb.csv", bytes(150 << 20), "unpacks to more than"),
    ],
)
def test_archives_that_are_traps_are_refused(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    file = zipped(tmp_path / "a.zip", name, data)
    batches, _ = run(source(file))
    (lost,) = [one for batch in batches for one in batch.unreadable]
    assert reason in lost.reasons[0]
    assert ids(batches) == []


def test_a_gzip_bomb_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.csv.gz"
    file.write_bytes(gzip.compress(bytes(150 << 20)))
    batches, _ = run(source(file))
    assert "unpacks to more than" in str(batches[0].unreadable)


def flipped(packed: bytes, at: int) -> bytes:
    return packed[:at] + bytes([packed[at] ^ 0x10]) + packed[at + 1 :]


LINES = b"id,name\n" + b"".join(b"%d,n%d\n" % (one, one * 7) for one in range(2_000))


@pytest.mark.parametrize(
    "packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_what_is_damaged_in_an_archive_is_told_by_name(tmp_path: Path, packing: int) -> None:
    file = tmp_path / "a.zip"
    with zipfile.ZipFile(file, "w", packing) as archive:
        archive.writestr("one.csv", b"id\n1\n")
        archive.writestr("two.csv", LINES)
        start = archive.getinfo("two.csv").header_offset
        middle = start + archive.getinfo("two.csv").compress_size // 2
    whole = file.read_bytes()
    # Every way of packing says in its own way, and at its own place, that a bit is wrong.
    for at in (middle, middle + 1, start + 60):
        file.write_bytes(flipped(whole, at))
        batches, _ = run(source(file))
        (lost,) = [one for batch in batches for one in batch.unreadable]
        assert "a.zip/two.csv: cannot be unpacked" in lost.reasons[0]
        assert ids(batches) == ["1"]
    for cut in (len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:cut])
        batches, _ = run(source(file))
        (lost,) = [one for batch in batches for one in batch.unreadable]
        assert "a.zip: cannot be unpacked" in lost.reasons[0]


@pytest.mark.parametrize(
    ("ending", "pack"), [(".gz", gzip.compress), (".bz2", bz2.compress), (".xz", lzma.compress)]
)
def test_a_packed_file_is_read_and_a_damaged_one_refused(
    tmp_path: Path, ending: str, pack: Callable[[bytes], bytes]
) -> None:
    file, whole = tmp_path / f"a.csv{ending}", pack(LINES)
    file.write_bytes(whole)
    batches, _ = run(source(file))
    assert ids(batches) == [str(one) for one in range(2_000)]
    for broken in (whole[: len(whole) // 2], flipped(whole, len(whole) // 2), flipped(whole, 1)):
        file.write_bytes(broken)
        batches, _ = run(source(file))
        (lost,) = [one for batch in batches for one in batch.unreadable]
        assert f"a.csv{ending}: cannot be unpacked" in lost.reasons[0]
        assert ids(batches) == []


@pytest.mark.parametrize("name", ["a.csv.zst", "a.tar", "a.tar.gz", "a.7z"])
def test_what_is_packed_in_another_way_is_not_taken_for_a_table(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(gzip.compress(b"id\n1\n"))
    batches, _ = run(source(tmp_path / name))
    (lost,) = [one for batch in batches for one in batch.unreadable]
    assert "only .zip, .gz, .bz2, .xz are (unpack it first)" in lost.reasons[0]


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "http://127.0.0.1:1/x.csv")
            self.end_headers()
        else:
            super().do_GET()

    do_HEAD = do_GET  # noqa: N815 - called by that name


@pytest.fixture
def web(tmp_path: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path)))
    with serving(server) as address:
        yield address


def test_a_file_behind_a_url_is_read_once(tmp_path: Path, web: str) -> None:
    write(tmp_path / "a.csv", "1")
    made = source(f"{web}/a.csv")
    batches, position = run(made)
    assert ids(batches) == ["1"]
    assert ids(run(made, position)[0]) == []


def test_addresses_of_ones_own_network_are_refused(web: str) -> None:
    with pytest.raises(InvalidInput, match="no address of the internet"):
        list(FilesSource(FilesSettings(location=f"{web}/a.csv")).batches(None))
    with pytest.raises(InvalidInput, match="no address of the internet"):
        FilesSource(FilesSettings(location="sftp://127.0.0.1/a.csv"))


def test_a_url_that_leads_elsewhere_is_not_followed(web: str) -> None:
    with pytest.raises(InvalidInput, match="302"):
        list(source(f"{web}/away").batches(None))


def test_a_place_that_does_not_answer_is_told() -> None:
    with pytest.raises(Unreachable):
        list(source("http://127.0.0.1:1/a.csv").batches(None))


SSHD = shutil.which("sshd", path="/usr/sbin:/usr/bin")


@pytest.fixture
def sftp(tmp_path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """A server with an Ed25519 and an RSA key, in `ssh`; `user` is a key that it takes."""
    if SSHD is None or os.getuid() != 0:
        pytest.skip("needs sshd, and root to start it")
    folder = tmp_path / "ssh"
    folder.mkdir(mode=0o700)
    for name, kind in (("host", "ed25519"), ("host_rsa", "rsa"), ("user", "ed25519")):
        made_key(folder / name, kind)
    port = free_port()
    Path("/run/sshd").mkdir(exist_ok=True)
    options = {
        "Port": port, "ListenAddress": "127.0.0.1", "HostKey": folder / "host", "StrictModes": "no",
        "AuthorizedKeysFile": folder / "user.pub", "PermitRootLogin": "yes", "PidFile": "none",
        "Subsystem": "sftp internal-sftp", "UsePAM": "no",
    }  # fmt: skip
    told = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    told += ["-h", str(folder / "host_rsa")]
    process = subprocess.Popen([SSHD, "-D", "-f", "/dev/null", *told], stderr=subprocess.DEVNULL)
    wait_until(lambda: listens(port), "sshd listens")
    yield f"sftp://127.0.0.1:{port}", {"username": "root", "key_filename": str(folder / "user")}
    process.terminate()
    process.wait()


def made_key(file: Path, kind: str, passphrase: str = "") -> str:
    """A private key in a file, and its text."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", passphrase, "-f", str(file)]
    subprocess.run(command, check=True)
    return file.read_text()


@pytest.mark.filterwarnings("ignore")  # the driver's own, of algorithms that it knows
def test_files_of_an_sftp_server_are_read_and_archived(
    tmp_path: Path, sftp: tuple[str, dict[str, Any]]
) -> None:
    url, access = sftp
    inbox, archive = tmp_path / "in", tmp_path / "done"
    inbox.mkdir()
    write(inbox / "a.csv", "1", "2")
    made = source(f"{url}{inbox}/*.csv", access=access, after="archive", archive=str(archive))
    batches, position = run(made)
    assert ids(batches) == ["1", "2"]
    assert [one.name for one in archive.iterdir()] == ["a.csv"]
    write(inbox / "b.csv", "3")
    assert ids(run(made, position)[0]) == ["3"]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["host", "host_rsa"])
def test_a_server_proves_to_be_the_one_that_is_meant(
    tmp_path: Path, sftp: tuple[str, dict[str, Any]], name: str
) -> None:
    url, access = sftp
    write(tmp_path / "a.csv", "1")
    meant = (tmp_path / "ssh" / f"{name}.pub").read_text()
    batches, _ = run(source(f"{url}{tmp_path}/a.csv", access={**access, "host_key": meant}))
    assert ids(batches) == ["1"]

    made_key(tmp_path / "ssh" / "other", "rsa" if name == "host_rsa" else "ed25519")
    other = (tmp_path / "ssh" / "other.pub").read_text()
    with pytest.raises(InvalidInput, match="is not the server that was meant") as refused:
        source(f"{url}{tmp_path}/a.csv", access={**access, "host_key": other})
    assert meant.split()[1] in str(refused.value)
    with pytest.raises(InvalidInput, match="is no key of a server"):
        source(f"{url}{tmp_path}/a.csv", access={**access, "host_key": "SHA256:abc"})


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("kind", "passphrase"), [("ed25519", ""), ("ecdsa", ""), ("rsa", ""), ("ed25519", "geheim")]
)
def test_a_private_key_may_be_given_as_text(
    tmp_path: Path, sftp: tuple[str, dict[str, Any]], kind: str, passphrase: str
) -> None:
    url, _ = sftp
    write(tmp_path / "a.csv", "1")
    key = made_key(tmp_path / "mine", kind, passphrase)
    with (tmp_path / "ssh" / "user.pub").open("a") as allowed:
        allowed.write((tmp_path / "mine.pub").read_text())
    access = {"username": "root", "key": key, "passphrase": passphrase}
    batches, _ = run(source(f"{url}{tmp_path}/a.csv", access=access))
    assert ids(batches) == ["1"]


@pytest.mark.filterwarnings("ignore")
def test_keys_that_do_not_open_are_told(tmp_path: Path, sftp: tuple[str, dict[str, Any]]) -> None:
    url, _ = sftp
    locked = made_key(tmp_path / "locked", "ed25519", "geheim")
    strange = made_key(tmp_path / "strange", "ed25519")
    for access, reason in (
        ({"key": "no key"}, "access.key: is no private key"),
        ({"key": locked, "passphrase": "wrong"}, "access.passphrase"),
        ({"key": locked}, "access.passphrase"),
        ({"key": strange}, "refuses"),
        ({"password": "wrong"}, "refuses"),
        ({"pasword": "x"}, "did you mean 'password'?"),
    ):
        with pytest.raises(OnefoldError) as refused:
            source(f"{url}{tmp_path}/a.csv", access={"username": "root", **access})
        assert reason in str(refused.value), access
