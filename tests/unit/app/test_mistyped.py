"""Domains of e-mail addresses that look mistyped are suggested, and never changed."""

from __future__ import annotations

import msgspec

from onefold.app.imports.measuring import Meant, mistyped_domains
from onefold.model.records import Accepted
from onefold.standardize import standardize


def test_slips_of_known_domains_are_told_with_what_may_be_meant():
    addresses = ["a@gmial.com", "b@GMIAL.com", "c@hotmial.com", "d@gmail.com", "e@googlemail.com"]
    addresses += ["f@acme.com", "g@mail.com", "h@126.com", "nobody", None, 7]
    batch = [
        {"type": "identify", "userId": f"u{number}", "traits": {"email": address}}
        for number, address in enumerate(addresses)
    ]
    body = msgspec.json.encode({"batch": batch})
    events, rejects = standardize([Accepted("crm", 1, "batch", body)], {})

    assert rejects == []
    assert mistyped_domains(events) == {
        "gmial.com": Meant("gmail.com", 2),
        "hotmial.com": Meant("hotmail.com", 1),
    }
    assert [event.traits["email"] for event in events] == addresses
