"""E-mail addresses as people have them: the mailbox that the mail arrives at."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from onefold.standardize.identifiers import email as plain_email

GMAIL = frozenset({"gmail.com", "googlemail.com"})
# Domains that so many use that a misspelling of one is told from a domain of its own.
WELL_KNOWN = (
    "gmail.com",
    "yahoo.com",
    "hotmail.com",
    "outlook.com",
    "icloud.com",
    "aol.com",
    "live.com",
    "msn.com",
    "comcast.net",
    "verizon.net",
    "sbcglobal.net",
    "protonmail.com",
    "googlemail.com",
    "yahoo.co.uk",
    "hotmail.co.uk",
    "btinternet.com",
    "yahoo.fr",
    "hotmail.fr",
    "orange.fr",
    "wanadoo.fr",
    "laposte.net",
    "web.de",
    "gmx.de",
    "gmx.net",
    "t-online.de",
    "freenet.de",
    "libero.it",
    "yahoo.it",
    "hotmail.it",
    "yahoo.es",
    "hotmail.es",
    "yahoo.com.br",
    "hotmail.com.br",
    "uol.com.br",
    "yahoo.co.jp",
    "mail.ru",
    "yandex.ru",
    "rambler.ru",
    "naver.com",
    "daum.net",
    "qq.com",
    "foxmail.com",
    "163.com",
    "126.com",
    "139.com",
    "189.cn",
    "yeah.net",
    "sina.com",
    "sina.cn",
    "sohu.com",
    "aliyun.com",
    "tom.com",
    "21cn.com",
    "263.net",
    "yahoo.com.cn",
    "yahoo.com.tw",
    "yahoo.com.hk",
    "hotmail.com.tw",
    "bigpond.com",
    "bigpond.net.au",
    "optusnet.com.au",
    "yahoo.com.au",
    "yahoo.ca",
    "rogers.com",
    "shaw.ca",
    "yahoo.in",
    "yahoo.co.in",
    "rediffmail.com",
)
# Near to a well-known one, yet a domain of its own.
_OWN = frozenset(
    """mail.com email.com ymail.com gmx.com me.com mac.com pm.me proton.me live.co.uk live.fr live.de live.it
    live.cn hotmail.de yahoo.de yahoo.cn outlook.de outlook.fr outlook.es outlook.it outlook.jp gmx.at gmx.ch
    web.com aol.de aol.fr cox.net att.net bell.net 188.com 136.com 136.net 162.com 263.com 123.com fmail.com
    inbox.com list.ru bk.ru ya.ru yandex.com mail.de mail.be line.me msa.com man.com""".split()
)
_ENDINGS = {
    "con": "com",
    "cmo": "com",
    "comm": "com",
    "ocm": "com",
    "xom": "com",
    "vom": "com",
    "cpm": "com",
    "c0m": "com",
    "co.m": "com",
    "nte": "net",
    "ner": "net",
    "ogr": "org",
}
JUNK_LOCALS = frozenset(
    """none na n.a n-a noemail no.email no-email no_email nomail no.mail noone noreply no.reply no-reply
    donotreply do.not.reply null nil unknown unk test testing tester xx xxx xxxx asdf asdfgh qwerty
    nobody notprovided not.provided notavailable decline declined refused nothing anonymous guest
    customer dummy fake sample user email e-mail mailaddress aaa aaaa abc123 a b x z""".split()
)


class Email(NamedTuple):
    """A mailbox."""

    local: str
    domain: str

    def __str__(self) -> str:
        return f"{self.local}@{self.domain}"


def email(value: object) -> Email | None:
    """The mailbox behind an address as people write it; None where it is none, or junk.

    >>> str(email("John.Smith+shop@GMail.com")), str(email("li.wei@gmial.com"))
    ('johnsmith@gmail.com', 'liwei@gmail.com')
    >>> str(email("mailto:Li.Wei@Example.com")), email("none@none.com"), email("noemail@shop.com")
    ('li.wei@example.com', None, None)
    """
    return _email(value) if type(value) is str and len(value) <= 512 else None


@lru_cache(maxsize=4_096)
def _email(value: str) -> Email | None:
    text = value.strip().strip("<>\"';,.").removeprefix("mailto:")
    if "@" not in text or "," in text or " " in text:
        text = _repaired(text)
    plain = plain_email(text)
    if plain is None:
        return None
    local, _, domain = plain.rpartition("@")
    domain = mend_domain(domain)
    local = mailbox(local, domain)
    return Email(local, domain) if local and local not in JUNK_LOCALS else None


def _repaired(text: str) -> str:
    """Signs that were mistyped or written as words."""
    text = text.replace("(at)", "@").replace("[at]", "@").replace("＠", "@").replace(" at ", "@")
    return text.replace("(dot)", ".").replace("[dot]", ".").replace(",", ".").replace(" ", "")


def mailbox(local: str, domain: str) -> str:
    """The part before the `@` without tag, and at Gmail without dots."""
    local = local.partition("+")[0]
    return local.replace(".", "") if domain in GMAIL else local.strip(".")


@lru_cache(maxsize=65_536)
def mend_domain(domain: str) -> str:
    """A domain, or the well-known one that it is a misspelling of.

    >>> [mend_domain(domain) for domain in ("gmial.com", "gmail.con", "hotmial.com", "gmail.co")]
    ['gmail.com', 'gmail.com', 'hotmail.com', 'gmail.com']
    >>> [mend_domain(domain) for domain in ("mail.com", "126.com", "acme.com", "googlemail.com")]
    ['mail.com', '126.com', 'acme.com', 'gmail.com']
    """
    domain = domain.strip(".")
    if domain in _OWN:
        return domain
    if domain not in WELL_KNOWN:
        name, dot, ending = domain.rpartition(".")
        domain = f"{name}{dot}{_ENDINGS.get(ending, ending)}"
        domain = _near(domain) or domain
    return "gmail.com" if domain == "googlemail.com" else domain


def _near(domain: str) -> str | None:
    """The well-known domain that is one slip away; short ones are too near to each other."""
    if domain in WELL_KNOWN:
        return domain
    if domain.removesuffix(".co") != domain and f"{domain}m" in WELL_KNOWN:
        return f"{domain}m"
    near = [
        known for known in _LONG if abs(len(known) - len(domain)) <= 1 and is_slip(domain, known)
    ]
    return near[0] if near else None


_LONG = tuple(known for known in WELL_KNOWN if len(known.partition(".")[0]) >= 5)


def is_slip(written: str, meant: str) -> bool:
    """Is it the other with one letter too many, too few, wrong, or two swapped?

    >>> is_slip("gmial.com", "gmail.com"), is_slip("gmaill.com", "gmail.com"), is_slip("ab", "ba")
    (True, True, True)
    """
    if written == meant:
        return True
    if len(written) > len(meant):
        written, meant = meant, written
    start = 0
    while start < len(written) and written[start] == meant[start]:
        start += 1
    if len(written) < len(meant):
        return written[start:] == meant[start + 1 :]
    if written[start + 1 :] == meant[start + 1 :]:
        return True
    swapped = (
        written[:start] + written[start + 1 : start + 2] + written[start] + written[start + 2 :]
    )
    return swapped == meant
