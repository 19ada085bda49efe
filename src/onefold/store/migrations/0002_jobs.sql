-- Long work with its progress; what was asked of the worker is such work too.
drop table requests;
create table jobs (
  id integer primary key autoincrement, kind text not null, subject text not null,
  argument text not null, created_at integer not null, created_by text not null,
  state text not null default 'waiting', canceling integer not null default 0,
  done integer not null default 0, total integer not null default 0, step text not null default '',
  position text not null default 'null', attempts integer not null default 0,
  started_at integer, finished_at integer, result text, reason text not null default ''
);
create index jobs_open on jobs (id) where state in ('waiting', 'running')
