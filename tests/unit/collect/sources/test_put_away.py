"""What becomes of files once they are read: nothing that nobody has read is moved, deleted or written over."""

from __future__ import annotations

import gzip
import os
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from onefold.collect.addresses import Reach
from onefold.collect.sources.files.places import FilesSettings, FilesSource
from onefold.model.errors import InvalidInput, Unauthorized, Unreachable
from tests.unit.collect.sources.test_places import ids, run, source, write
from tests.web_servers import serving


@pytest.mark.parametrize("new_by", ["name", "time", "content"])
def test_a_file_that_took_the_place_of_one_that_was_read_is_not_deleted(
    tmp_path: Path, new_by: str
) -> None:
    file = write(tmp_path / "a.csv", "1")
    made = source(tmp_path / "*.csv", new_by=new_by, after="delete")
    position = None
    for batch in made.batches(None):
        position = batch.position
        if "file" not in position:
            write(file, "2", "3")  # before what was read is stored
        made.stored(position)
    assert file.exists()

    again, _ = run(made, position)
    assert ids(again) == ([] if new_by == "name" else ["2", "3"])
    assert file.exists() == (new_by == "name")


def test_a_new_file_of_a_name_that_was_read_and_deleted_stays(tmp_path: Path) -> None:
    file = write(tmp_path / "a.csv", "1")
    made = source(tmp_path / "*.csv", new_by="name", after="delete")
    _, position = run(made)
    assert not file.exists()
    write(file, "2", "3")
    run(made, position)
    assert file.exists(), "nobody has read it"


def test_files_of_the_same_name_stay_beside_each_other_in_the_archive(tmp_path: Path) -> None:
    made = source(tmp_path / "in/*.csv", after="archive", archive=str(tmp_path / "done"))
    (tmp_path / "in").mkdir()
    position = None
    for number in "123":
        write(tmp_path / "in/a.csv", number)
        batches, position = run(made, position)
        assert ids(batches) == [number]
    kept = {one.name: one.read_text().splitlines()[1] for one in (tmp_path / "done").iterdir()}
    assert kept == {"a.csv": "1,x", "a-2.csv": "2,x", "a-3.csv": "3,x"}


def test_a_file_that_cannot_be_read_is_told_once_and_stays(tmp_path: Path) -> None:
    whole = gzip.compress(b"id,name\n1,x\n" * 99)
    file = tmp_path / "a.csv.gz"
    file.write_bytes(whole[: len(whole) // 2])
    made = source(tmp_path / "*.gz", after="delete")
    batches, position = run(made)
    (lost,) = [one for batch in batches for one in batch.unreadable]
    assert "cannot be unpacked" in lost.reasons[0]
    batches, position = run(source(tmp_path / "*.gz", after="delete"), position)
    assert (batches, file.exists()) == ([], True)

    file.write_bytes(whole)
    batches, _ = run(made, position)
    assert set(ids(batches)) == {"1", "id"}
    assert not file.exists()


@pytest.mark.parametrize(("pattern", "archive"), [("*.csv", "."), ("**/*.csv", "done")])
def test_an_archive_that_would_be_read_again_is_refused(
    tmp_path: Path, pattern: str, archive: str
) -> None:
    write(tmp_path / "a.csv", "1")
    made = source(tmp_path / pattern, after="archive", archive=str(tmp_path / archive))
    with pytest.raises(InvalidInput, match="is among what `location` reads"):
        run(made)


@pytest.mark.parametrize(
    ("location", "said"), [("", r"is a folder.*/\*"), ("nowhere/*.csv", "there is no folder")]
)
def test_a_folder_that_is_not_there_or_is_no_file_is_told(
    tmp_path: Path, location: str, said: str
) -> None:
    with pytest.raises(InvalidInput, match=said):
        run(source(tmp_path / location))


def test_a_file_that_cannot_be_opened_costs_no_other(tmp_path: Path) -> None:
    write(tmp_path / "b.csv", "1")
    os.symlink("nowhere.csv", tmp_path / "a.csv")
    batches, _ = run(source(tmp_path / "*.csv"))
    assert ids(batches) == ["1"]
    assert [one.stream for batch in batches for one in batch.unreadable] == ["a.csv"]


def test_of_an_archive_each_file_is_read_as_what_it_is(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("people.csv", "id,name\n1,Ann\n")
        archive.writestr("__MACOSX/._people.csv", b"\0\5\x16\7" * 20)
        archive.writestr(".DS_Store", b"\0\0\0\1Bud1")
        archive.writestr("logo.csv", b"%PDF\0\0\0")
        archive.writestr("more.ndjson", '{"id": "2"}\n')
    batches, _ = run(source(tmp_path / "*.zip"))
    assert ids(batches) == ["1", "2"]
    (lost,) = [one for batch in batches for one in batch.unreadable]
    assert (lost.stream, lost.place) == ("logo.csv", "the file")
    assert "a PDF document" in lost.reasons[0]


class Odd(BaseHTTPRequestHandler):
    """Answers as servers do that know only GET, and others that fail."""

    def log_message(self, *_: Any) -> None:
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.send_response(403)
        self.end_headers()

    def do_GET(self) -> None:
        code = {"/busy.csv": 503, "/shut.csv": 401, "/gone.csv": 404}.get(
            self.path.partition("?")[0], 200
        )
        self.send_response(code)
        self.end_headers()
        if code == 200:
            self.wfile.write(b"id,name\n1,x\n")


@pytest.fixture
def odd() -> Iterator[str]:
    with serving(ThreadingHTTPServer(("127.0.0.1", 0), Odd)) as address:
        yield address


def test_a_url_that_is_signed_for_one_method_is_read(odd: str) -> None:
    batches, _ = run(source(f"{odd}/a%20b.csv?signature=s3cret"))
    (record,) = [one for batch in batches for one in batch.records]
    assert record.stream == "a b.csv", "what was asked with the URL may be a key"


@pytest.mark.parametrize(
    ("path", "kind", "said"),
    [
        ("busy.csv", Unreachable, "answers 503"),
        ("shut.csv", Unauthorized, "`access` does not open it"),
        ("gone.csv", InvalidInput, "answers 404"),
    ],
)
def test_what_a_server_answers_instead_of_a_file_is_told(
    odd: str, path: str, kind: type[Exception], said: str
) -> None:
    with pytest.raises(kind, match=said) as raised:
        run(source(f"{odd}/{path}?signature=s3cret"))
    assert "s3cret" not in str(raised.value)


def test_nothing_is_moved_behind_a_url() -> None:
    with pytest.raises(ValueError, match="nothing can be moved or deleted"):
        FilesSource(FilesSettings(location="https://example.com/a.csv", after="delete"))


@pytest.mark.parametrize("pattern", ["data/*.key", "**/*.key", "links/*"])
def test_what_is_onefolds_own_is_no_place_of_files(tmp_path: Path, pattern: str) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "links").mkdir()
    (tmp_path / "data/secrets.key").write_text("k,e\ny,y\n")
    (tmp_path / "links/a.csv").symlink_to(tmp_path / "data/secrets.key")
    reach = Reach(closed=tmp_path / "data")
    settings = FilesSettings(location=str(tmp_path / pattern), after="delete")
    with pytest.raises(InvalidInput, match="leads into Onefold's own folder"):
        list(FilesSource(settings, reach).batches(None))
    assert (tmp_path / "data/secrets.key").exists()

    into = FilesSettings(
        location=str(tmp_path / "*.csv"), after="archive", archive=str(tmp_path / "data/lake")
    )
    with pytest.raises(InvalidInput, match="leads into Onefold's own folder"):
        FilesSource(into, reach)
