-- E-mail addresses and telephone numbers of a load that could not be read, so that they identify nobody.
alter table loads add column nameless_emails integer not null default 0;
alter table loads add column nameless_phones integer not null default 0
