"""Definitions that name each other are checked together."""

from __future__ import annotations

import pytest

from onefold.model.errors import InvalidInput
from tests.acceptance.conftest import Stepped

BUYERS = "kind: segment\nname: buyers\nrule: did('Order Completed')\n"
HOOK = """
kind: destination
name: hook
type: webhook
url: http://127.0.0.1:9/
secret: whsec_MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAw
segments: [buyer]
"""


def test_a_destination_for_a_segment_that_nobody_defined_is_refused(onefold: Stepped) -> None:
    with pytest.raises(InvalidInput) as refused:
        onefold.define(BUYERS + "---" + HOOK)
    (fault,) = refused.value.faults
    assert ("'buyer'" in fault.message, fault.hint) == (True, "did you mean 'buyers'?")
    assert onefold.store.registry.definitions() == []


def test_the_segment_may_be_in_force_already(onefold: Stepped) -> None:
    onefold.define(BUYERS)
    onefold.define(HOOK.replace("[buyer]", "[buyers]"))
    assert len(onefold.store.registry.definitions()) == 2
