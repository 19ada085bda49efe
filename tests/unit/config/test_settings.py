"""Settings come from four places, in order, and every fault is told at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from onefold.config import Settings, as_text, catalogue, load_settings, read_settings
from onefold.model.errors import Fault, InvalidInput


def test_defaults_are_valid_and_have_their_origin() -> None:
    loaded = load_settings({}, {})
    assert loaded.settings == Settings()
    assert set(loaded.origins.values()) == {"default"}


def test_flag_before_environment_before_file_before_default() -> None:
    toml = 'port = 1\nhost = "0.0.0.0"\ndedup_days = 3'
    environ = {"ONEFOLD_PORT": "2", "ONEFOLD_HOST": "::1", "HOME": "/nowhere"}
    loaded = load_settings({"port": "3"}, environ, toml)
    assert (loaded.settings.port, loaded.settings.host, loaded.settings.dedup_days) == (3, "::1", 3)
    assert loaded.origins["port"] == "flag --port"
    assert loaded.origins["host"] == "environment ONEFOLD_HOST"
    assert loaded.origins["dedup_days"] == "onefold.toml dedup_days"
    assert loaded.origins["timezone"] == "default"


def test_tables_in_the_file_are_prefixes() -> None:
    toml = '[eventlog]\nsegment_size = "1MiB"\nretention = "12h"\n[sql]\nrows = 7'
    settings = load_settings({}, {}, toml).settings
    assert settings.eventlog_segment_size == 1024 * 1024
    assert settings.eventlog_retention == 12 * 3600
    assert settings.sql_rows == 7


def test_lists_are_comma_separated_or_arrays() -> None:
    expected = ("10.0.0.0/8", "::1")
    environ = {"ONEFOLD_TRUSTED_PROXIES": "10.0.0.0/8, ::1"}
    assert load_settings({}, environ).settings.trusted_proxies == expected
    toml = 'trusted_proxies = ["10.0.0.0/8", "::1"]'
    assert load_settings({}, {}, toml).settings.trusted_proxies == expected


def test_every_fault_is_listed_at_once() -> None:
    toml = "[sql]\nrows = true\nsecond = 3\nthreads = 0"
    environ = {"ONEFOLD_PROT": "1", "ONEFOLD_TIMEZONE": "Mars/Olympus", "ONEFOLD_SQL_MEMORY": "big"}
    flags = {"port": "70000", "ip_mode": "guess", "trusted_proxies": "10.0.0.1/8"}
    with pytest.raises(InvalidInput) as caught:
        load_settings(flags, environ, toml)
    faults = {fault.where: fault for fault in caught.value.faults}
    assert faults["onefold.toml sql.rows"].message == "must be a whole number, not True"
    assert faults["onefold.toml sql.second"] == Fault(
        "there is no setting 'sql_second'", "onefold.toml sql.second", "did you mean 'sql_seconds'?"
    )
    assert faults["onefold.toml sql.threads"].message == "must be at least 1"
    assert faults["environment ONEFOLD_PROT"].hint == "did you mean 'port'?"
    assert "no time zone 'Mars/Olympus'" in faults["environment ONEFOLD_TIMEZONE"].message
    assert "'big' is no size" in faults["environment ONEFOLD_SQL_MEMORY"].message
    assert faults["flag --port"].message == "must be at most 65535"
    assert faults["flag --ip-mode"].message.startswith("must be one of none, direct, proxy")
    assert "host bits set" in faults["flag --trusted-proxies"].message
    assert len(faults) == 9


@pytest.mark.parametrize(
    "flags",
    [
        {"sql_memory": "nan"},
        {"sql_seconds": "inf"},
        {"port": "1.5"},
        {"port": ""},
        {"data": ""},
        {"host": " "},
        {"timezone": "../../etc/passwd"},
        {"timezone": ""},
        {"default_country": "cn"},
        {"port": "9" * 5000},
    ],
)
def test_nonsense_is_refused(flags: dict[str, str]) -> None:
    with pytest.raises(InvalidInput):
        load_settings(flags, {})


@pytest.mark.parametrize("number", ["nan", "inf", "-inf"])
def test_toml_numbers_that_are_none_are_refused(number: str) -> None:
    with pytest.raises(InvalidInput):
        load_settings({}, {}, f"sql_seconds = {number}")


def test_a_broken_file_says_where() -> None:
    with pytest.raises(InvalidInput) as caught:
        load_settings({}, {}, "port = \n", "my.toml")
    assert caught.value.faults[0].where == "my.toml"
    assert "line 1" in caught.value.faults[0].message


def test_the_file_in_the_data_directory_wins_over_the_one_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    data = tmp_path / "data"
    data.mkdir()
    (tmp_path / "onefold.toml").write_text("port = 1")
    assert read_settings({"data": str(data)}, {}).settings.port == 1
    (data / "onefold.toml").write_text("port = 2")
    assert read_settings({"data": str(data)}, {}).settings.port == 2
    assert read_settings({}, {"ONEFOLD_DATA": str(data)}).settings.port == 2
    named = tmp_path / "other.toml"
    named.write_text("port = 3")
    assert read_settings({"data": str(data)}, {}, named).settings.port == 3


def test_the_file_here_may_name_the_data_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "onefold.toml").write_text('data = "elsewhere"')
    assert read_settings({}, {}).settings.data == Path("elsewhere")


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be read"):
        read_settings({}, {}, tmp_path / "none.toml")


def test_every_default_can_be_written_as_text_and_read_again() -> None:
    written = {name: as_text(row, row.default) for name, row in catalogue().items()}
    assert load_settings(written, {}).settings == Settings()


def test_every_setting_says_what_it_is() -> None:
    for row in catalogue().values():
        assert row.about.help.endswith("."), row.name


def test_every_setting_is_used() -> None:
    """A setting that nothing reads would be a promise that nobody keeps."""
    sources = Path(__file__).parents[3] / "src" / "onefold"
    text = "\n".join(
        path.read_text("utf-8")
        for path in sources.rglob("*.py")
        if "config" not in path.relative_to(sources).parts
    )
    unused = [name for name in catalogue() if f"settings.{name}" not in text]
    assert unused == []


@pytest.mark.parametrize("name", ["a%41b", "back\\slash", "tab\tline\n"])
def test_a_data_directory_that_the_lake_cannot_be_kept_in_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="the lake cannot be kept there"):
        load_settings({"data": f"/srv/{name}/data"}, {})


def test_whatever_else_stands_in_the_path_of_the_data_directory_is_fine() -> None:
    name = "/srv/100% 店 ?x=1#h'q\"[1]*{}"
    assert str(load_settings({"data": name}, {}).settings.data) == name
