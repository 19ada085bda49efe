-- Groups that people belong to, each with its claims and golden traits.
create table accounts (id text primary key, document blob not null) without rowid;

-- Identifiers whose owners belong to them: a profile is found by its identifiers, so merges change nothing here.
create table account_members (
  account text not null, node blob not null, primary key (account, node)
) without rowid;
create index account_members_node on account_members (node);

-- Identifiers whose owners are said to live with somebody: where households begin.
create table household_nodes (node blob primary key) without rowid
