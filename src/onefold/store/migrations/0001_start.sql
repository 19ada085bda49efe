-- What is there, and which version of it, per workspace.
create table settings (name text primary key, value blob not null) without rowid;

-- One row per identifier: only its node and where it belongs; its value lies in the profile.
create table identifiers (node blob primary key, profile integer not null) without rowid;
create table profiles (id integer primary key, due integer not null, document blob not null);
create index profiles_due on profiles (due) where due > 0;
create table aliases (id integer primary key, profile integer not null);
create table members (
  segment text not null, profile integer not null, since integer not null,
  primary key (segment, profile)
) without rowid;

create table segment_sizes (segment text primary key, members integer not null) without rowid;

-- Deduplication: one row per event, in the order of the client's minute; `day` for expiry.
create table seen (
  minute integer not null, hash integer not null, day integer not null,
  primary key (minute, hash)
) without rowid;

-- How far each partition of the log is processed, and what waits for the lake.
create table positions (partition text primary key, position integer not null) without rowid;
create table lake_queue (
  batch integer not null, name text not null, rows integer not null, data blob not null,
  primary key (batch, name)
);

create table rejects (
  id integer primary key autoincrement, source text not null, received_at integer not null,
  kind text not null, raw blob not null, reasons text not null, digest blob not null,
  state text not null default 'open'
);
-- A replay of the log meets the same bytes again: they are the same reject.
create unique index rejects_open on rejects (digest) where state = 'open';
create index rejects_state on rejects (state, id);

create table deliveries (
  id integer primary key autoincrement, destination text not null, profile integer not null,
  key text not null, payload blob not null, created_at integer not null,
  attempts integer not null default 0, next_at integer not null,
  state text not null default 'waiting', reason text not null default '', finished_at integer
);
create index deliveries_waiting on deliveries (destination, profile, id) where state = 'waiting';
create index deliveries_due on deliveries (destination, next_at, id) where state = 'waiting';
create index deliveries_finished on deliveries (state, id) where state <> 'waiting';

create table sources (
  id text primary key, name text not null unique, kind text not null, key_hash blob not null,
  enabled integer not null, settings text not null, created_at integer not null
) without rowid;
create table keys (
  id text primary key, name text not null unique, role text not null, key_hash blob not null,
  created_at integer not null, revoked_at integer
) without rowid;
create table definitions (
  kind text not null, name text not null, version integer not null, body text not null,
  state text not null, changed_at integer not null, primary key (kind, name)
) without rowid;
create table definition_versions (
  kind text not null, name text not null, version integer not null, body text,
  changed_at integer not null, changed_by text not null, primary key (kind, name, version)
) without rowid;
create table audit (
  id integer primary key autoincrement, at integer not null, actor text not null,
  action text not null, target text not null, detail text not null
);
create table heartbeats (
  process text primary key, pid integer not null, at integer not null, state text not null
) without rowid;
create table requests (
  id integer primary key autoincrement, action text not null, argument text not null,
  created_at integer not null, state text not null default 'waiting', result text not null default ''
);
