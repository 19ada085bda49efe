"""What the tree gives its children, and how it says what it cannot do."""

from __future__ import annotations

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onefold.config import Settings, catalogue, load_settings, read_settings
from onefold.model.errors import InvalidInput
from onefold.processes import tree
from onefold.processes.child import VARIABLE
from onefold.processes.tree import (
    answers,
    child_environment,
    listen,
    make_data_directory,
    teller,
)
from onefold.testing.patience import PATIENCE


def _values(name: str) -> st.SearchStrategy[Any]:
    row = catalogue()[name]
    least, most = row.about.least or 0, row.about.most
    if row.choices:
        return st.sampled_from(row.choices)
    if row.type is int:
        return st.integers(int(least), int(most or 2**50))
    if row.type is float:
        return st.decimals(str(least), str(most or 10**9), places=3).map(float)
    return st.just(row.default)


@given(st.fixed_dictionaries({name: _values(name) for name in catalogue()}))
def test_children_find_the_same_settings(given: dict[str, Any]) -> None:
    flags = {
        name: value if isinstance(value, str) else ",".join(value)
        for name, value in given.items()
        if isinstance(value, str | tuple)
    }
    numbers = {
        name: str(value) for name, value in given.items() if not isinstance(value, str | tuple)
    }
    loaded = load_settings({**numbers, **flags}, {})
    environment = child_environment(loaded)
    assert read_settings({}, environment).settings == loaded.settings


def test_children_do_not_get_the_parents_own_descriptors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, "alive=3")
    assert VARIABLE not in child_environment(load_settings({}, {}))


def test_children_read_the_same_file(tmp_path: Path) -> None:
    named = tmp_path / "my settings.toml"
    named.write_text("dedup_days = 3")
    environment = child_environment(read_settings({}, {}, named))
    again = read_settings({}, environment)
    assert (again.settings.dedup_days, again.file) == (3, named)


def test_a_used_port_is_told_with_a_way_out() -> None:
    with listen("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(InvalidInput, match="Address already in use") as caught:
            listen("127.0.0.1", port)
    assert "--port" in str(caught.value)


def test_a_host_that_is_not_there_is_told() -> None:
    with pytest.raises(InvalidInput, match="cannot listen on"):
        listen("no.such.host.invalid", 0)


def test_a_data_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(InvalidInput, match="cannot be made"):
        make_data_directory(tmp_path / "data")


def test_a_new_data_directory_is_for_this_user_only(tmp_path: Path) -> None:
    make_data_directory(tmp_path / "a" / "data")
    assert (tmp_path / "a" / "data").stat().st_mode & 0o777 == 0o700


def test_only_http_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "_PROBE_TIMEOUT", PATIENCE)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def reply() -> None:
            for text in (b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"SSH-2.0-x\r\n"):
                connection, _ = server.accept()
                with connection:
                    connection.recv(1000)
                    connection.sendall(text)

        thread = threading.Thread(target=reply)
        thread.start()
        assert answers("127.0.0.1", port)
        assert not answers("0.0.0.0", port)
        thread.join()
    assert not answers("127.0.0.1", port)


def test_lines_are_text_or_json(capsys: pytest.CaptureFixture[str]) -> None:
    teller("json")("process_ended", name="web", signal="SIGKILL")
    assert json.loads(capsys.readouterr().err)["signal"] == "SIGKILL"
    teller("text")("process_ended", name="web")
    assert capsys.readouterr().err.endswith(" up process_ended name='web'\n")


def test_defaults_need_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Not where tests are started: a demo may have left its settings there.
    monkeypatch.chdir(tmp_path)
    inherited = child_environment(load_settings({}, {}))
    assert read_settings({}, inherited).settings == Settings()
