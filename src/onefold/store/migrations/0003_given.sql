-- Claims on identifiers that nobody has been seen with yet.
create table waiting_claims (
  node blob not null, message_id text not null, statement blob not null,
  primary key (node, message_id)
) without rowid;

-- What refreshes found, until the profiles have it; and how each refresh went.
create table refresh_values (
  id integer primary key autoincrement, trait text not null, profile integer not null,
  value text not null, as_of integer not null
);
create table refreshes (
  tag text primary key, version integer not null, as_of integer not null,
  seconds real not null, profiles integer not null, changed integer not null
) without rowid;

-- Versions of lists; `behind` is the position in the log after which a version is in force.
create table lists (
  segment text not null, version integer not null, kind text not null,
  rows integer not null default 0, refused integer not null default 0,
  state text not null default 'waiting', log_partition text not null default '',
  behind integer not null default 0, created_at integer not null, created_by text not null,
  primary key (segment, version)
) without rowid;

-- How many profiles have each value of each tag, now and on past days.
create table tag_values (
  tag text not null, value text not null, profiles integer not null, primary key (tag, value)
) without rowid;
create table tag_days (
  tag text not null, day integer not null, counts text not null, primary key (tag, day)
) without rowid
