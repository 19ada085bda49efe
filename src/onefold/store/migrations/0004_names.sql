-- Names of events and of traits that came in: what a rule may mean, and what is a slip of the pen.
create table names_seen (
  kind text not null, name text not null, primary key (kind, name)
) without rowid
