"""Every setting, once: its name, type, default, unit and help.

A value comes from the first of these that names it: a flag (`--port 9000`), the environment
(`ONEFOLD_PORT=9000`), `onefold.toml` (`port = 9000`, or `segment_size = "64MiB"` below
`[eventlog]`), the default. `load_settings` is pure; `read_settings` finds and reads the file.

To add a setting, add a field to `Settings`: flag, variable, checks and docs follow from it.
"""

from onefold.config.reading import CONFIG_VARIABLE, Loaded, as_text, load_settings, read_settings
from onefold.config.settings import (
    ENVIRONMENT_PREFIX,
    Setting,
    Settings,
    catalogue,
    engine_fault,
)

__all__ = [
    "CONFIG_VARIABLE",
    "ENVIRONMENT_PREFIX",
    "Loaded",
    "Setting",
    "Settings",
    "as_text",
    "catalogue",
    "engine_fault",
    "load_settings",
    "read_settings",
]
