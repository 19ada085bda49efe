"""Every module can be imported alone, and the examples in docstrings run."""

import doctest
import importlib
import pkgutil

import pytest

import onefold

MODULES = sorted(
    module.name
    for module in pkgutil.walk_packages(onefold.__path__, "onefold.")
    if not module.name.endswith("__main__")
)


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name):
    result = doctest.testmod(importlib.import_module(name), optionflags=doctest.ELLIPSIS)
    assert result.failed == 0
