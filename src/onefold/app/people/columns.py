"""What the columns of people's records hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from onefold.model.errors import Fault
from onefold.standardize.people.recognition import recognize
from onefold.standardize.people.roles import ROLES, SEVERAL


def columns_of(
    seen: Mapping[str, Sequence[object]], told: Mapping[str, str]
) -> tuple[dict[str, str], list[Fault]]:
    """The role of each column, as told, else as it is recognized; and what is wrong with that.

    `seen` has values of each column. What is told goes before what is only recognized.
    """
    guesses = recognize(seen)
    faults: list[Fault] = []
    found: dict[str, str] = {}
    for header in seen:
        role = told.get(header) or guesses[header].role
        kind = role.partition(":")[0]
        if header not in told and role not in SEVERAL and role in told.values():
            role = "ignore"
        if kind not in ROLES or (role != kind and kind != "identifier"):
            hint = f"one of {', '.join(ROLES)}"
            faults.append(Fault(f"there is no role {role!r}", f"columns.{header}", hint))
        elif kind not in SEVERAL and role in found.values():
            faults.append(Fault(f"two columns are {role}", f"columns.{header}"))
        found[header] = role
    return found, faults
