-- When the next correction of an account ends by itself (0: never).
alter table accounts add column until integer not null default 0;
create index accounts_until on accounts (until) where until > 0
