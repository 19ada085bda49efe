"""The demo from start to end: workspace, definitions, receiver, player, live line."""

from __future__ import annotations

import base64
import secrets
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import yaml

from onefold.app import access
from onefold.app.definitions import applying
from onefold.app.secret_values import secret_set
from onefold.app.status import status_of
from onefold.app.workspace import now_us, open_store, store_path
from onefold.cli.demo.notes import Notes, log_file, read_notes, write_key_file, write_notes
from onefold.cli.demo.player import Player
from onefold.cli.demo.receiver import Receiver
from onefold.cli.demo.show import LiveLine, where_to_look
from onefold.cli.demo.tree import Tree
from onefold.config import Loaded, Settings
from onefold.model.errors import Busy, Conflict, Fault, OnefoldError
from onefold.processes.tree import child_environment, make_data_directory
from onefold.testing import shop

_NOTE_SECONDS = 1.0
_DAYS_BEFORE, _DAYS_AFTER = 30, 60
_TIME_ZONE = "Asia/Shanghai"


class Wanted(msgspec.Struct, frozen=True):
    """How the shop is to be played."""

    customers: int
    minutes: float
    rate: float


def run_demo(loaded: Loaded, wanted: Wanted) -> int:
    """Play until a signal, or until Onefold ends; the exit code."""
    settings = loaded.settings
    make_data_directory(settings.data)
    notes = read_notes(settings.data)
    if notes is None and store_path(settings).exists():
        hint = "name another folder with --data DIR"
        raise Conflict(f"{settings.data} holds a workspace that is no demo.", [Fault(hint)])
    if notes is None:
        _write_config(settings)
    stop = threading.Event()
    with _signals(stop), _tree(loaded) as tree:
        notes = notes or _first_notes(settings, tree.keys, wanted)
        receiver = Receiver(base64.b64decode(notes.hook_secret), notes.hook_port)
        notes.hook_port = receiver.port
        try:
            _apply(settings, notes, receiver)
            return _play(settings, wanted, notes, tree, receiver, stop)
        finally:
            receiver.stop()
            write_notes(settings.data, notes)


def _play(
    settings: Settings,
    wanted: Wanted,
    notes: Notes,
    tree: Tree,
    receiver: Receiver,
    stop: threading.Event,
) -> int:
    played = shop.Shop.around(
        notes.begun_at,
        customers=notes.customers,
        before=_DAYS_BEFORE,
        after=_DAYS_AFTER,
        timezone=_TIME_ZONE,
    )
    key_file = write_key_file(settings.data, notes.admin_key)
    log = log_file(settings.data)
    where_to_look(tree.url, settings.data, key_file, log, shop.examples(played, notes.begun_at))
    keeper = _Keeper(settings, notes)
    player = Player(tree.url, notes.write_keys, played, notes.sent, keeper.arrived)
    player.play(wanted.minutes, wanted.rate)
    live = LiveLine()
    try:
        with open_store(settings, cache_mb=4) as store:
            while not stop.wait(1.0):
                if not tree.runs():
                    raise OnefoldError(f"Onefold ended:\n{tree.last_lines()}")
                try:
                    live.show(status_of(settings, store), receiver.received, player.ended)
                except Busy:
                    continue  # a figure less; the next second has one again
    finally:
        player.stop()
        live.end()
    return 0


class _Keeper:
    """Writes down now and then how far the shop was played."""

    def __init__(self, settings: Settings, notes: Notes) -> None:
        self._data = settings.data
        self._notes = notes
        self._next = 0.0

    def arrived(self, count: int) -> None:
        """So many messages arrived; after a crash some may be sent again, which changes nothing."""
        self._notes.sent = count
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _NOTE_SECONDS
            write_notes(self._data, self._notes)


def _first_notes(settings: Settings, keys: dict[str, str], wanted: Wanted) -> Notes:
    write_keys = {
        name: access.source_add(settings, name, default_country="CN").write_key
        for name in shop.SOURCES
    }
    notes = Notes(
        begun_at=now_us(),
        customers=wanted.customers,
        admin_key=keys["admin key"],
        write_keys=write_keys,
        hook_secret=base64.b64encode(secrets.token_bytes(32)).decode(),
    )
    write_notes(settings.data, notes)
    return notes


def _apply(settings: Settings, notes: Notes, receiver: Receiver) -> None:
    """Put the shop's segments and the receiver in force; changes nothing where they are already."""
    destination = {
        "kind": "destination",
        "name": "demo_receiver",
        "type": "webhook",
        "url": receiver.url,
        "secret": {"secret": "demo_receiver"},
    }
    secret_set(settings, "demo_receiver", f"whsec_{notes.hook_secret}", actor="demo")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "segments.yaml").write_text(shop.definitions(), "utf-8")
        Path(folder, "destination.yaml").write_text(yaml.safe_dump(destination), "utf-8")
        applying.apply(settings, Path(folder), actor="demo")


def _write_config(settings: Settings) -> None:
    """The shop's days begin in Shanghai; kept in the data directory for every later command."""
    path = settings.data / "onefold.toml"
    if not path.exists():
        path.write_text(f'timezone = "{_TIME_ZONE}"\n', "utf-8")


@contextmanager
def _tree(loaded: Loaded) -> Iterator[Tree]:
    tree = Tree(child_environment(loaded), log_file(loaded.settings.data))
    try:
        tree.wait_until_ready()
        yield tree
    finally:
        tree.stop()


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    numbers = [signal.SIGINT, signal.SIGTERM]
    if signal.getsignal(signal.SIGHUP) != signal.SIG_IGN:  # as under nohup
        numbers.append(signal.SIGHUP)
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
