-- What broke a tracking plan, counted by the hour; never a value.
create table violations (
  hour integer not null, source text not null, event text not null, plan text not null,
  version integer not null, field text not null, fault text not null, mode text not null,
  events integer not null,
  primary key (hour, source, event, plan, version, field, fault, mode)
) without rowid
