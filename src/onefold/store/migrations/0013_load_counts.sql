-- What became of a load's records, counted by the worker as it folds them.
alter table loads add column events integer not null default 0;
alter table loads add column repeats integer not null default 0;
alter table loads add column rejects integer not null default 0;
alter table rejects add column load text not null default '';
create index rejects_of on rejects (load) where load <> ''
