-- What a destination was last told of a person, as digests of values; only where a source answers for it.
create table sent_values (
  destination text not null, node blob not null, at integer not null, digests blob not null,
  primary key (destination, node)
) without rowid;
create index sent_at on sent_values (at)
