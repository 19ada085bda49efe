-- What came in place of the refresh tokens that sources are given, each encrypted like a secret. What was given is
-- known by a keyed hash, so that who gives another one begins with that.
create table refresh_tokens (
  given blob not null, source text not null, value blob,
  asked_at integer not null default 0, changed_at integer not null,
  primary key (given, source)
) without rowid
