"""How a REST API is described: where it is, who we are to it, what to read, and how it pages."""

from __future__ import annotations

from typing import Any, Literal

import msgspec


class Auth(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who we are to the API.

    `bearer` and `key` send a `token` (`key` in the header or query parameter `name`, after `prefix`),
    `basic` a `user` and `password`. `oauth2` gets its token from `url` first: by `grant`, with
    `client_id` and `client_secret`, or whatever `fields` say; `send` says how the fields go there (`basic`:
    as a form, but who we are as HTTP Basic), and `at` and `expires` where in the answer the token and its
    lifetime (seconds) stand. A refresh token that is given may be used up by that: the new one stands at
    `renewed` (empty: as `refresh_token` beside the token), and is kept in its place.
    """

    type: Literal["none", "bearer", "key", "basic", "oauth2"] = "none"
    token: str = ""
    user: str = ""
    password: str = ""
    name: str = ""
    where: Literal["header", "query"] = "header"
    prefix: str = ""
    url: str = ""
    grant: Literal["client_credentials", "refresh_token", ""] = "client_credentials"
    client_id: str = ""
    client_secret: str = ""
    refresh_token: str = ""
    scope: str = ""
    fields: dict[str, str] = {}
    send: Literal["form", "basic", "json", "query"] = "form"
    at: str = "access_token"
    expires: str = "expires_in"
    renewed: str = ""

    @property
    def renewed_at(self) -> str:
        """Where in an answer a new refresh token stands.

        >>> Auth(at="data.access_token").renewed_at
        'data.refresh_token'
        """
        return self.renewed or self.at.removesuffix(self.at.rpartition(".")[2]) + "refresh_token"


class Paging(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How one page leads to the next.

    `link`: the header `Link`. `next`: a URL at `at` in the answer. `token`: what stands at `at` is sent
    as `parameter`. `last`: the field `at` of the last record is. `page` and `offset`: a number, of
    pages from `first` or of records, with `size` of them a page (`size_parameter` asks for that many).
    `more` is where a flag says that there is another page, `done` where one says that there is
    none. After `most` records the API pages no further: then it goes on from the last cursor. Where a list
    is `sorted` by the cursor, oldest first, each page does: a record that changes while pages are
    counted would push another one out of them.
    """

    type: Literal["none", "link", "next", "token", "last", "page", "offset"] = "none"
    at: str = ""
    parameter: str = ""
    size: int = 0
    size_parameter: str = ""
    first: int = 1
    more: str = ""
    done: str = ""
    most: int = 0
    sorted: bool = False


class Cursor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What changed since the last run: the time in `field` of each record.

    `{since}` in query or body is the last one, less `late`, written as `format` (`iso`,
    `seconds`, `milliseconds`, or with `%Y` and so on); `{until}` is the end
    of a `window`, where the API wants one, else now. `start` is where the first run begins.
    """

    field: str
    format: str = "iso"
    start: str = "2000-01-01T00:00:00Z"
    late: str = "10m"
    window: str = ""
    time_zone: str = "UTC"


class Failure(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How an answer of status 200 says that it failed: a code `at` that is none of the `fine` ones.

    With a code of `again` the same is tried later, with one of `token` once more with a new token, whatever
    its status. Where there are several places, the first that says something counts.
    """

    at: str | tuple[str, ...]
    fine: tuple[int | str | bool, ...] = (0,)
    again: tuple[int | str, ...] = ()
    token: tuple[int | str, ...] = ()
    message: str = ""


class Stream(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One list of records.

    `records` is where they stand in the answer, `key` what tells them apart. `children` are read for
    each record, whose fields fill `{field}` in their path, query and body; with `group` for so
    many records at once. With `keep` fields of the parent come along (`parent.field`). What has
    `emit: false` is only read for its children. An answer without `records` is a failure, unless it is
    `sparse`: leaves them out where there are none.
    """

    name: str
    path: str
    method: Literal["GET", "POST"] = "GET"
    query: dict[str, Any] = {}
    body: dict[str, Any] | None = None
    records: str = ""
    key: tuple[str, ...] = ("id",)
    paging: Paging = Paging()
    cursor: Cursor | None = None
    children: tuple[Stream, ...] = ()
    group: int = 1
    keep: tuple[str, ...] = ()
    emit: bool = True
    sparse: bool = False


class RestSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A REST API: its address, our key, its streams. `rate` is how many calls a second it allows."""

    base_url: str
    streams: tuple[Stream, ...]
    auth: Auth = Auth()
    headers: dict[str, str] = {}
    failure: Failure | None = None
    rate: float = 10.0
    timeout: float = 60.0
    patience: float = 300.0
