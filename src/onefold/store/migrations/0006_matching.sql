-- Match models that were put into the store; which one is in force is a setting.
create table match_models (
  version text primary key, body blob not null, created_at integer not null, created_by text not null
) without rowid;

-- What each identifier's claims say about a person, in standard columns; and its blocking keys by the model in force.
create table match_records (
  id integer primary key, node blob not null unique, record blob not null
);
create table match_keys (
  key integer not null, record integer not null, primary key (key, record)
) without rowid
