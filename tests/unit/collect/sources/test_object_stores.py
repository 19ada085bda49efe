"""Files in object stores: S3, Google's and Azure's, as servers of others speak for them."""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from onefold.collect.addresses import Reach
from onefold.collect.sources.files.places import FilesSettings, FilesSource
from onefold.model.errors import InvalidInput, Unauthorized, Unreachable
from onefold.model.pulled import Batch
from onefold.testing import object_stores
from onefold.testing.patience import PATIENCE
from onefold.testing.servers import Server
from tests.real_servers import started
from tests.unit.collect.sources.conftest import NUMBERS
from tests.unit.collect.sources.reading import PEAK
from tests.web_servers import serving

HERE = Reach(["127.0.0.0/8"])
# What a driver leaves to its own end says nothing of us.
pytestmark = pytest.mark.filterwarnings("ignore")


class Shelf(ABC):
    """A bucket of one test's own: filled by the maker's own client, not by what is tested."""

    scheme: str
    access: dict[str, Any]
    wrong: dict[str, Any]

    def __init__(self) -> None:
        self.bucket = f"shop-{next(NUMBERS)}"

    @abstractmethod
    def put(self, name: str, data: bytes) -> None: ...

    @abstractmethod
    def names(self) -> list[str]: ...

    def source(self, pattern: str = "in/*.csv", **settings: Any) -> FilesSource:
        given = {"access": self.access, **settings}
        location = f"{self.scheme}://{self.bucket}/{pattern}"
        return FilesSource(FilesSettings(location=location, **given), HERE)


class S3(Shelf):
    scheme = "s3"

    def __init__(self, server: Server) -> None:
        import boto3

        super().__init__()
        url = f"http://127.0.0.1:{server.port}"
        root = {"aws_access_key_id": "root", "aws_secret_access_key": "root"}
        told = {"endpoint_url": url, "region_name": "eu-central-1"}
        self._post(f"{url}/moto-api/reset-auth", b"1000")
        people = boto3.client("iam", **told, **root)
        people.create_user(UserName=self.bucket)
        allowed = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
        people.put_user_policy(
            UserName=self.bucket,
            PolicyName="files",
            PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}),
        )
        made = people.create_access_key(UserName=self.bucket)["AccessKey"]
        keys = {
            "aws_access_key_id": made["AccessKeyId"],
            "aws_secret_access_key": made["SecretAccessKey"],
        }
        self._post(f"{url}/moto-api/reset-auth", b"0")  # from here on keys are looked at
        self.client = boto3.client("s3", **told, **keys)
        place = {"LocationConstraint": "eu-central-1"}
        self.client.create_bucket(Bucket=self.bucket, CreateBucketConfiguration=place)
        self.access = {
            "endpoint": url,
            "region": "eu-central-1",
            "key": made["AccessKeyId"],
            "secret": made["SecretAccessKey"],
        }
        self.wrong = {**self.access, "secret": "guessed"}

    @staticmethod
    def _post(url: str, data: bytes) -> None:
        asked = urllib.request.Request(url, data, {"content-type": "text/plain"})
        urllib.request.urlopen(asked, timeout=PATIENCE).close()

    def put(self, name: str, data: bytes) -> None:
        self.client.put_object(Bucket=self.bucket, Key=name, Body=data)

    def names(self) -> list[str]:
        return [
            one["Key"]
            for one in self.client.list_objects_v2(Bucket=self.bucket).get("Contents", [])
        ]


class Google(Shelf):
    scheme = "gs"

    def __init__(self, server: Server, tokens: str) -> None:
        super().__init__()
        self.url = f"http://127.0.0.1:{server.port}"
        self._call("storage/v1/b?project=x", json.dumps({"name": self.bucket}).encode())
        self.access = {"endpoint": self.url, "service_account": service_account(f"{tokens}/ours")}
        self.wrong = {**self.access, "service_account": service_account(f"{tokens}/other")}

    def _call(self, path: str, data: bytes | None = None, kind: str = "application/json") -> Any:
        asked = urllib.request.Request(f"{self.url}/{path}", data, {"content-type": kind})
        with urllib.request.urlopen(asked, timeout=PATIENCE) as answer:
            return json.load(answer)

    def put(self, name: str, data: bytes) -> None:
        named = urllib.parse.quote(name, safe="")
        path = f"upload/storage/v1/b/{self.bucket}/o?uploadType=media&name={named}"
        self._call(path, data, "application/octet-stream")

    def names(self) -> list[str]:
        return [one["name"] for one in self._call(f"storage/v1/b/{self.bucket}/o").get("items", [])]


def service_account(token_url: str) -> str:
    key = rsa.generate_private_key(65537, 2048).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return json.dumps(
        {
            "type": "service_account",
            "client_email": "onefold@shop.iam.gserviceaccount.com",
            "private_key_id": "1",
            "private_key": key.decode(),
            "token_uri": token_url,
        }
    )


class Azure(Shelf):
    scheme = "az"

    def __init__(self, server: Server) -> None:
        from azure.storage.blob import BlobServiceClient

        super().__init__()
        account, key = object_stores.AZURE_ACCOUNT, object_stores.AZURE_KEY
        url = f"http://127.0.0.1:{server.port}/{account}"
        client = BlobServiceClient(url, {"account_name": account, "account_key": key})
        self.container = client.create_container(self.bucket)
        self.access = {"endpoint": url, "account": account, "key": key}
        self.wrong = {**self.access, "key": "Z3Vlc3NlZA=="}

    def put(self, name: str, data: bytes) -> None:
        self.container.upload_blob(name, data, overwrite=True)

    def names(self) -> list[str]:
        return list(self.container.list_blob_names())


@pytest.fixture(scope="module")
def s3() -> Iterator[Server]:
    yield from started(object_stores.s3)


@pytest.fixture(scope="module")
def google() -> Iterator[Server]:
    yield from started(object_stores.google_storage)


@pytest.fixture(scope="module")
def azure() -> Iterator[Server]:
    yield from started(object_stores.azure_storage)


class Tokens(BaseHTTPRequestHandler):
    """Gives a token to whom it knows: the path says who asks."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["content-length"]))
        known = self.path == "/ours"
        told: dict[str, Any] = {"error": "invalid_grant", "error_description": "unknown key"}
        if known:
            told = {"access_token": "t", "token_type": "Bearer", "expires_in": 3600}
        body = json.dumps(told).encode()
        self.send_response(200 if known else 400)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def tokens() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Tokens)
    with serving(server) as address:
        yield address


@pytest.fixture(params=["s3", "google", "azure"])
def shelf(request: pytest.FixtureRequest) -> Shelf:
    server = request.getfixturevalue(request.param)
    if request.param == "google":
        return Google(server, request.getfixturevalue("tokens"))
    return S3(server) if request.param == "s3" else Azure(server)


def run(made: FilesSource, position: Any = None) -> tuple[list[str], Any]:
    """Read to the end, each batch being durable: the ids, and the last position."""
    found: list[Batch] = []
    for batch in made.batches(position):
        found.append(batch)
        made.stored(batch.position)
        position = batch.position
    return [one.fields["id"] for batch in found for one in batch.records], position


def table(*ids: str) -> bytes:
    return ("id,name\n" + "".join(f"{one},x\n" for one in ids)).encode()


@pytest.mark.parametrize(
    ("new_by", "again", "other"),
    [("name", [], []), ("time", ["1"], ["2"]), ("content", [], ["2"])],
)
def test_each_new_file_is_read_once(shelf, new_by, again, other):
    shelf.put("in/a.csv", table("1"))
    shelf.put("out/z.csv", table("9"))
    if not isinstance(shelf, Google):  # whose server takes nothing that is empty
        shelf.put("in/folder/", b"")
    made = shelf.source(new_by=new_by)
    ids, position = run(made)
    assert ids == ["1"]
    assert run(made, position)[0] == []
    shelf.put("in/b.csv", table("3"))
    ids, position = run(shelf.source(new_by=new_by), position)
    assert ids == ["3"]
    shelf.put("in/a.csv", table("2"))
    ids, position = run(made, position)
    assert ids == other
    if new_by == "content":  # the same content put there anew is a file that was read
        shelf.put("in/a.csv", table("2"))
        assert run(made, position)[0] == again


def test_what_is_read_is_put_away(shelf):
    shelf.put("in/a.csv", table("1"))
    ids, _ = run(shelf.source(after="archive", archive=f"{shelf.bucket}/done"))
    assert (ids, shelf.names()) == (["1"], ["done/a.csv"])
    ids, _ = run(shelf.source("done/*", after="delete"))
    assert (ids, shelf.names()) == (["1"], [])


def test_wrong_keys_are_said(shelf):
    shelf.put("in/a.csv", table("1"))
    with pytest.raises(Unauthorized, match=f"{shelf.bucket}.* refuses these keys"):
        run(shelf.source(access=shelf.wrong))


def test_a_bucket_that_is_not_there_is_said(shelf):
    made = FilesSettings(location=f"{shelf.scheme}://nowhere-else/in/*.csv", access=shelf.access)
    with pytest.raises(InvalidInput, match="nowhere-else"):
        run(FilesSource(made, HERE))


def test_a_place_that_is_away_may_come_back(shelf):
    away = {**shelf.access, "endpoint": "http://127.0.0.1:1/onefold"}
    with pytest.raises(Unreachable, match="does not answer"):
        run(shelf.source(access=away))


def test_private_endpoints_are_refused(shelf):
    settings = FilesSettings(location=f"{shelf.scheme}://x/in/*", access=shelf.access)
    with pytest.raises(InvalidInput, match="no address of the internet"):
        FilesSource(settings, Reach())


LARGE = (
    PEAK
    + """
import json, sys
from onefold.collect.addresses import Reach
from onefold.collect.sources.files.places import FilesSettings, FilesSource
def read(pattern):
    location = f"{sys.argv[1]}/{pattern}"
    settings = FilesSettings(location=location, access=json.loads(sys.argv[2]))
    rows = 0
    for batch in FilesSource(settings, Reach(["127.0.0.0/8"])).batches(None):
        rows += len(batch.records)
    return rows, peak_kb()
few, before = read("small.csv")
rows, after = read("large.csv")
print(rows, (after - before) >> 10)
"""
)


@pytest.mark.slow
def test_a_large_file_is_not_held_in_memory(shelf):
    row = b"7," + b"x" * 32_000 + b"\n"
    shelf.put("small.csv", b"id,text\n" + row * 300)
    shelf.put("large.csv", b"id,text\n" + row * 6_000)  # 192 MB
    command = [sys.executable, "-c", LARGE, f"{shelf.scheme}://{shelf.bucket}"]
    done = subprocess.run(
        [*command, json.dumps(shelf.access)], check=True, capture_output=True, text=True
    )
    rows, more_mb = map(int, done.stdout.split())
    assert rows == 6_000
    assert more_mb < 80


@pytest.mark.parametrize(
    ("location", "access", "said"),
    [
        ("s3://b/*", {"client_kwargs": {"endpoint_url": "http://127.0.0.1"}}, "client_kwargs"),
        ("s3://b/*", {"endpoint": "file:///etc/passwd"}, "no URL"),
        ("az://b/*", {"account": "127.0.0.1/x"}, "no name of an account"),
        ("az://b/*", {"account": "shop", "key": "x;BlobEndpoint=http://127.0.0.1"}, "access.key"),
        ("gs://b/*", {"service_account": "{}"}, "no key of a service account"),
        ("file::http://127.0.0.1/x", {}, "is none"),
        ("simplecache::s3://b/x", {}, "is none"),
    ],
)
def test_settings_lead_nowhere_else(location, access, said):
    with pytest.raises(InvalidInput, match=said):
        FilesSource(FilesSettings(location=location, access=access), HERE)


@pytest.mark.parametrize(
    ("location", "module", "extra"),
    [("s3://b/*", "s3fs", "s3"), ("gs://b/*", "gcsfs.core", "gcs"), ("az://b/*", "adlfs", "azure")],
)
def test_a_missing_driver_is_named(monkeypatch, location, module, extra):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(InvalidInput, match=rf"onefold\[{extra}\]"):
        FilesSource(
            FilesSettings(
                location=location, access={"account": "shop"} if extra == "azure" else {}
            ),
            HERE,
        )
