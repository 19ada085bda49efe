"""Commands do what they say, and fail so that a person or a program can act on it."""

from __future__ import annotations

import fcntl
import json
import os
import re
import resource
import socket
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import pytest

from onefold.cli.program import program

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "src")}
COMMANDS = [
    ["up"],
    ["web"],
    ["worker"],
    ["jobs"],
    ["demo"],
    ["init"],
    ["source", "add"],
    ["source", "list"],
    ["source", "disable"],
    ["source", "enable"],
    ["source", "run"],
    ["source", "status"],
    ["source", "test"],
    ["source", "pause"],
    ["source", "resume"],
    ["source", "release"],
    ["source", "reset"],
    ["load", "list"],
    ["load", "show"],
    ["load", "cancel"],
    ["load", "undo"],
    ["rates", "load"],
    ["rates", "list"],
    ["secret", "set"],
    ["secret", "list"],
    ["secret", "remove"],
    ["key", "add"],
    ["key", "list"],
    ["key", "revoke"],
    ["plan"],
    ["apply"],
    ["export"],
    ["test"],
    ["profile"],
    ["segment", "list"],
    ["segment", "members"],
    ["segment", "upload"],
    ["identity", "why"],
    ["identity", "same"],
    ["identity", "apart"],
    ["identity", "forget"],
    ["identity", "reviews"],
    ["identity", "later"],
    ["identity", "undo"],
    ["identity", "merges"],
    ["identity", "try"],
    ["identity", "cluster"],
    ["match", "train"],
    ["match", "add"],
    ["match", "models"],
    ["match", "compare"],
    ["match", "use"],
    ["match", "off"],
    ["match", "score"],
    ["match", "candidates"],
    ["identity", "claim"],
    ["identity", "release"],
    ["identity", "bulk"],
    ["identity", "bulk-undo"],
    ["identity", "calibrate"],
    ["trait", "correct"],
    ["trait", "release"],
    ["quality"],
    ["account", "list"],
    ["account", "show"],
    ["account", "members"],
    ["account", "why"],
    ["account", "history"],
    ["account", "add"],
    ["account", "remove"],
    ["account", "correct"],
    ["account", "release"],
    ["household", "list"],
    ["household", "show"],
    ["household", "history"],
    ["household", "together"],
    ["household", "apart"],
    ["household", "forget"],
    ["identity", "compare"],
    ["dedupe"],
    ["standardize"],
    ["extract-identifiers"],
    ["merge-records"],
    ["import"],
    ["mapping", "suggest"],
    ["mapping", "standards"],
    ["tag", "list"],
    ["tag", "health"],
    ["tag", "set"],
    ["tag", "unset"],
    ["tag", "import"],
    ["tag", "refresh"],
    ["tracking", "violations"],
    ["tracking", "draft"],
    ["segment", "preview"],
    ["segment", "why"],
    ["segment", "overlap"],
    ["segment", "compare"],
    ["segment", "backtest"],
    ["job", "list"],
    ["job", "show"],
    ["job", "cancel"],
    ["sql"],
    ["status"],
    ["config"],
    ["doctor"],
    ["rebuild"],
    ["replay"],
    ["rejects", "list"],
    ["rejects", "show"],
    ["rejects", "replay"],
    ["dead", "list"],
    ["dead", "replay"],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_an_example(onefold, command):
    answer = onefold(*command, "--help")
    assert answer.code == 0
    assert f"Example: onefold {' '.join(command)}" in answer.out
    for option in ("--data", "--json", "--config"):
        assert option in answer.out


def test_no_command_is_missing_here():
    app = program()
    known = {command.name for command in app.registered_commands}
    for group in app.registered_groups:
        inner = group.typer_instance.registered_commands
        known |= {f"{group.name} {command.name}" for command in inner}
    assert known == {" ".join(command) for command in COMMANDS}


def test_the_first_start_gives_keys_once(tmp_path):
    def init():
        line = [sys.executable, "-P", "-m", "onefold", "init", "--json", "--data", tmp_path / "new"]
        return json.loads(subprocess.run(line, env=ENVIRONMENT, stdout=PIPE, check=True).stdout)

    assert set(init()) == {"admin_key", "write_key"}
    assert init() == {}


def test_the_data_directory_stands_before_or_after_the_command(onefold, data):
    before = onefold("--data", data, "source", "list", "--json")
    after = onefold("source", "list", "--json", "--data", data)
    assert before == after
    assert [source["name"] for source in after.json] == ["default"]


def test_json_may_stand_before_the_command(onefold, data):
    assert onefold("--json", "--data", data, "key", "list").json[0]["role"] == "admin"


def test_sources(onefold, data):
    made = onefold("source", "add", "shop", "--data", data, "--json").json
    assert made["write_key"].startswith("shop:")
    assert onefold("source", "disable", "shop", "--data", data, "--json").json["enabled"] is False
    assert onefold("source", "enable", "shop", "--data", data, "--json").json["enabled"] is True
    again = onefold("source", "add", "shop", "--data", data, "--json")
    assert (again.code, again.json["code"]) == (1, "conflict")


def test_keys(onefold, data):
    made = onefold("key", "add", "board", "--role", "reader", "--data", data)
    assert made.out.startswith("reader key k")
    assert onefold("key", "revoke", "board", "--data", data, "--json").json["revoked_at"]
    wrong = onefold("key", "add", "board 2", "--role", "god", "--data", data)
    assert wrong.code == 1
    assert "there is no role 'god' (use one of reader, analyst, editor, admin)" in wrong.err


def test_definitions_are_planned_and_applied(onefold, data, tmp_path):
    folder = tmp_path / "definitions"
    folder.mkdir()
    (folder / "cn.yaml").write_text("kind: segment\nname: cn\nrule: country = 'CN'\n")
    planned = onefold("plan", folder, "--data", data, "--json").json["changes"]
    assert [(one["action"], one["kind"], one["name"]) for one in planned] == [
        ("create", "segment", "cn")
    ]
    assert onefold("apply", folder, "--data", data).out.endswith("1 change\n")
    assert onefold("apply", folder, "--data", data).out == "nothing to change\n"
    assert onefold("segment", "list", "--data", data, "--json").json[0]["members"] == 0
    assert onefold("segment", "members", "cn", "--data", data, "--json").json == []
    (folder / "cn.yaml").write_text("kind: segment\nname: cn\nrule: country =\n")
    assert onefold("plan", folder, "--data", data).code == 1


def test_a_suggested_mapping_goes_into_a_file_and_its_reasons_to_the_terminal(
    onefold, data, tmp_path
):
    (tmp_path / "客户.csv").write_text("姓名,手机\n王伟,13800138000\n", encoding="gb18030")

    suggested = onefold("mapping", "suggest", tmp_path / "客户.csv", "--data", data)

    assert "identifiers.phone" in suggested.err
    (folder := tmp_path / "definitions").mkdir()
    (folder / "customers.yaml").write_text(suggested.out)
    assert onefold("plan", folder, "--data", data, "--json").json["changes"][0]["name"] == "KeHu"


def test_without_a_workspace_commands_say_how_to_make_one(onefold):
    answer = onefold("source", "list")
    assert answer.code == 1
    assert "`onefold up` makes one" in answer.err
    assert "Traceback" not in answer.err


def test_a_wrong_command_line_is_told_apart(onefold):
    plain = onefold("sql")
    assert (plain.code, plain.out) == (2, "")
    assert "query" in plain.err
    as_json = onefold("sql", "--json")
    assert (as_json.code, as_json.json["code"]) == (2, "usage")
    assert onefold("nonsense", "--json").json["code"] == "usage"


def test_config_tells_where_each_value_comes_from(onefold, monkeypatch):
    monkeypatch.setenv("ONEFOLD_PORT", "9000")
    Path("onefold.toml").write_text("dedup_days = 3")
    rows = {
        row["name"]: (row["value"], row["origin"])
        for row in onefold("config", "--host", "0.0.0.0", "--json").json
    }
    assert rows["port"] == (9000, "environment ONEFOLD_PORT")
    assert rows["dedup_days"] == (3, "onefold.toml dedup_days")
    assert rows["host"] == ("0.0.0.0", "flag --host")
    assert rows["sql_rows"] == (10_000, "default")


def test_all_wrong_settings_are_told_at_once(onefold, monkeypatch):
    monkeypatch.setenv("ONEFOLD_PROT", "9000")
    answer = onefold("config", "--dedup-days", "0", "--json")
    assert answer.code == 1
    assert {fault["where"] for fault in answer.json["faults"]} == {
        "environment ONEFOLD_PROT",
        "flag --dedup-days",
    }


def test_nobody_is_found_in_an_empty_workspace(onefold, data):
    answer = onefold("profile", "email:ann@example.com", "--data", data, "--json")
    assert (answer.code, answer.json["code"]) == (1, "not_found")
    wrong = onefold("profile", "email:a@b.c", "--as-of", "yesterday", "--data", data)
    assert "'yesterday' is no time" in wrong.err


def test_nothing_to_replay(onefold, data):
    assert onefold("replay", "--data", data, "--json").json == {"replayed": 0, "held": 0}
    assert onefold("rejects", "list", "--data", data, "--json").json == []
    assert onefold("rejects", "show", "3", "--data", data).code == 1
    assert onefold("rejects", "replay", "--data", data).code == 1
    assert onefold("rejects", "replay", "--all", "--data", data, "--json").json == {"count": 0}
    assert onefold("dead", "list", "--data", data, "--json").json == []


def test_damage_is_told_without_a_traceback(onefold, data):
    for log in (data / "lake").glob("*/_delta_log/*.json"):
        log.write_text("garbage")
    lake = onefold("rebuild", "--check", "--data", data)
    assert (lake.code, lake.err.count("\n")) == (1, 1)
    assert "cannot be read" in lake.err
    checked = onefold("doctor", "--data", data, "--port", 0, "--min-free-disk", 0, "--json")
    assert checked.code == 1
    assert [one["check"] for one in checked.json if one["state"] == "failed"] == ["lake"]
    for part in data.glob("store.db*"):
        part.write_bytes(b"garbage" * 2000)
    for command in (["status"], ["source", "list"], ["sql", "select 1"], ["replay"]):
        store = onefold(*command, "--data", data)
        assert (store.code, store.out) == (1, "")
        assert "cannot open the store" in store.err


def test_numbers_that_cannot_be_are_refused(onefold, data):
    for line in (
        ["rejects", "show", 2**64],
        ["rejects", "list", "--limit", 0],
        ["dead", "replay", -1],
        ["segment", "members", "x", "--limit", 10**9],
    ):
        assert onefold(*line, "--data", data).code == 2


def test_doctor_finds_a_new_workspace_well(onefold, data):
    found = doctor(onefold, data)
    states = {one["check"]: one["state"] for one in found}
    assert states.pop("open files") in ("ok", "warning")
    assert set(states.values()) == {"ok"}, found


def test_doctor_asks_the_port_that_the_running_tree_was_started_with(onefold, data):
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        (data / "up.lock").open("w") as lock,
    ):
        port = other.getsockname()[1]
        lock.write(f"1 127.0.0.1 {port}")
        lock.flush()
        told = [row["detail"] for row in doctor(onefold, data) if row["check"] == "port"]
        assert told == ["127.0.0.1:0 is free"], "nobody holds the lock: that tree is gone"
        fcntl.flock(lock, fcntl.LOCK_EX)
        told = [row["detail"] for row in doctor(onefold, data) if row["check"] == "port"]
        assert told == [f"another program listens on 127.0.0.1:{port}"]


def doctor(onefold, data):
    return onefold("doctor", "--data", data, "--port", "0", "--min-free-disk", "0", "--json").json


def test_light_commands_are_quick_and_import_nothing_heavy(tmp_path):
    code = (
        "import sys; from onefold.cli import main\n"
        "try: main(['config', '--json'])\n"
        "finally: print(sorted({m.split('.')[0] for m in sys.modules}), file=sys.stderr)"
    )

    def ran(code: str) -> tuple[str, float]:
        """What it printed on stderr, and the processor time that it took."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env=ENVIRONMENT,
            capture_output=True,
            text=True,
            check=True,
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return done.stderr, sum(after[:2]) - sum(before[:2])

    heavy = ("duckdb", "pyarrow", "litestar", "deltalake", "sqlglot", "structlog", "httpx")
    loaded, took = ran(code)
    _, without = ran(f"import {', '.join(heavy)}")
    assert not [name for name in heavy if f"'{name}'" in loaded]
    assert took < without  # half of it where this was written


def test_status_tells_people_sizes_that_they_can_read(onefold, data):
    shown = onefold("status", "--data", data)
    assert shown.code == 0
    assert re.search(r"^disk_free +\d+\.\d [KMGT]iB$", shown.out, re.MULTILINE)
    assert isinstance(onefold("status", "--data", data, "--json").json["disk_free"], int)


def test_a_standard_is_tried_with_values(onefold):
    told = onefold(
        "mapping", "standards", "country", "Deutschland", "中国", "Narnia", "中国", "--json"
    )
    assert json.loads(told.out) == [
        {"value": "中国", "becomes": "CN", "rows": 2},
        {"value": "Deutschland", "becomes": "DE", "rows": 1},
        {"value": "Narnia", "becomes": None, "rows": 1},
    ]
    number = onefold("mapping", "standards", "phone", "0171 2345678", "--country", "de").out
    assert "+491712345678" in number
    listed = onefold("mapping", "standards").out
    assert "ISO 4217" in listed
    wrong = onefold("mapping", "standards", "contry")
    assert wrong.code != 0
    assert "did you mean 'country'?" in wrong.err
