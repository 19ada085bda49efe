-- Links that would join two groups of identifiers, and wait for a person's word; `state` is what a reviewer made of it.
create table reviews (
    left blob not null,
    right blob not null,
    reason text not null,
    rank integer not null,
    time integer not null,
    since integer not null,
    state text not null default 'open',
    primary key (left, right)
) without rowid;
create index reviews_right on reviews (right);
create index reviews_open on reviews (state, since);
