"""UsernameToken: the digest as zeep makes it, once and in time."""

from __future__ import annotations

import datetime as dt

import pytest
from lxml import etree
from zeep.wsse.username import UsernameToken

from onefold.collect.soap import Nonces, token_of
from onefold.collect.soap.envelope import read_envelope
from onefold.model.errors import Unauthorized

NOW = 1_790_000_000
S12 = "http://www.w3.org/2003/05/soap-envelope"


def security(at: int = NOW, **more):
    """The security header that zeep makes."""
    made = UsernameToken(
        "crm", "päss", use_digest=True, created=dt.datetime.fromtimestamp(at, dt.UTC), **more
    )
    empty = etree.fromstring(
        f'<s:Envelope xmlns:s="{S12}"><s:Body>'
        '<UpsertCustomers xmlns="urn:onefold:customers:1"/></s:Body></s:Envelope>'
    )
    signed, _ = made.apply(empty, {})
    return read_envelope(etree.tostring(signed)).security


def test_a_digest_proves_the_password():
    token = token_of(security(), NOW)

    assert token is not None
    assert (token.user, token.digest) == ("crm", True)
    assert token.proves(["other", "päss"])
    assert not token.proves(["pass"])
    assert not token.proves([])


@pytest.mark.parametrize("by", [-301, 301])
def test_a_digest_of_another_time_is_refused(by):
    with pytest.raises(Unauthorized, match="compare the clocks"):
        token_of(security(NOW + by), NOW)


def test_a_nonce_holds_once_for_each_user_while_its_time_is_taken():
    nonces = Nonces()

    used = [nonces.use("crm", b"a", 0), nonces.use("crm", b"a", 599), nonces.use("erp", b"a", 599)]
    assert used == [True, False, True]
    assert nonces.use("crm", b"a", 601)


def test_expired_messages_are_refused():
    stamp = etree.fromstring(
        '<u:Timestamp xmlns:u="http://docs.oasis-open.org/wss/2004/01/'
        'oasis-200401-wss-wssecurity-utility-1.0.xsd"><u:Expires>2020-01-01T00:00:00Z</u:Expires>'
        "</u:Timestamp>"
    )
    with pytest.raises(Unauthorized, match="expired"):
        token_of(security(timestamp_token=stamp), NOW)


def test_without_a_security_header_there_is_no_token():
    assert token_of(None, NOW) is None
