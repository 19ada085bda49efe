-- Reviews have the match weight of their pair, who is looking at them until when, and a version; verdicts keep what was
-- said of which weight.
alter table reviews add column weight real;
alter table reviews add column claimed_by text not null default '';
alter table reviews add column claimed_until integer not null default 0;
alter table reviews add column version integer not null default 1;
create table verdicts (
    left blob not null,
    right blob not null,
    reason text not null,
    weight real,
    same integer not null,
    decided_at integer not null,
    decided_by text not null,
    primary key (left, right)
) without rowid
