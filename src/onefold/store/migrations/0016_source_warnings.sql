-- What a source that works says all the same, such as that its server keeps much for it.
alter table source_states add column warning text not null default ''
