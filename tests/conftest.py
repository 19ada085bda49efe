"""What holds for all tests."""

import os

from hypothesis import settings

from tests.real_servers import kafka, mariadb, mosquitto, mysql, postgres

__all__ = ["kafka", "mariadb", "mosquitto", "mysql", "postgres"]

# Elsewhere Hypothesis looks for new examples each time; in CI a change is judged by the same ones.
settings.register_profile("default", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "default")
