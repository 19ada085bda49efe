-- One row per load: one run of a pulled source, or the import of one file.
create table loads (
  id integer primary key autoincrement, source text not null, kind text not null,
  state text not null default 'running', canceling integer not null default 0,
  created_by text not null, started_at integer not null, seen_at integer not null,
  ended_at integer, attempts integer not null default 1,
  rows integer not null default 0, unreadable integer not null default 0,
  bytes integer not null default 0, total integer,
  reason text not null default '', report text not null default '{}'
);
create index loads_of on loads (source, id);
create index loads_open on loads (id) where state = 'running';
-- Where a pulled source goes on, and when; changed in one step with the load it belongs to.
create table source_states (
  source text primary key, position text not null default 'null',
  paused integer not null default 0, wanted integer not null default 0,
  failures integer not null default 0, ran_at integer not null default 0,
  succeeded_at integer not null default 0, due_at integer not null default 0,
  reason text not null default ''
) without rowid;
-- Each encrypted by the workspace's key, which does not lie in this file.
create table secrets (
  name text primary key, value blob not null, changed_at integer not null, changed_by text not null
) without rowid
