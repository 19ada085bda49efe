"""The jobs process: deliveries, and the upkeep of log, lake and store."""

from __future__ import annotations

import threading
from collections.abc import Callable
