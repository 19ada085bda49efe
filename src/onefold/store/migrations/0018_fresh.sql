-- What was written a moment ago; from here it moves to the tables of the same columns, in their order.
create table fresh_identifiers (node blob primary key, profile integer not null) without rowid;
create table fresh_seen (
  minute integer not null, hash integer not null, day integer not null,
  primary key (minute, hash)
) without rowid
