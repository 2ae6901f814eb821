-- What a line is about stands in columns, so that lines are counted and chosen without reading their entries.
alter table journal
    add column subject text collate "C" not null,
    add column kind text collate "C" not null,
    add column name text collate "C" not null,
    add column owner text collate "C" not null,
    add column action text collate "C" not null,
    add column at double precision not null;
create index journal_plan on journal (plan, number);
create index journal_subject on journal (subject, plan);
create index journal_written on journal (at, kind, owner, action) where done;

create index memory_uid on memory (uid) where uid <> '';

-- The plan that last found something to do for a subject, until that is done. Its part is copied here when the plan goes.
alter table memory
    add column plan bigint,
    add column part bytea,
    add column part_plan text;
create index memory_standing on memory (subject, plan) where plan is not null;
create index memory_unsettled on memory (subject) where not settled;

alter table plan add column parts int not null;

-- The generation in which an entity last changed.
alter table entity add column generation bigint not null;

-- Numbers that grow in the order of commits, which those of a sequence do not.
create table counter (name text primary key, value bigint not null);
insert into counter values ('generation', 0), ('event', 0);

-- The work set. Times are seconds since 1970 by the clock of this server.
create sequence work_token;

create table work (
    topic text collate "C" not null,
    key text collate "C" not null,
    want bigint not null, -- how often it was asked for
    asked double precision not null, -- the oldest ask that is not served
    due double precision not null,
    why text not null,
    next_asked double precision, -- what was asked since it was claimed
    next_due double precision,
    next_why text,
    owner text not null default '',
    token bigint not null default 0,
    until double precision not null default 0,
    tries int not null default 0,
    error text not null default '',
    primary key (topic, key)
)
-- Rows change often: room for new versions in the same page, and vacuum after few of them.
with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.01, autovacuum_vacuum_threshold = 500);

create index work_due on work (topic, due);

create table run (id text collate "C" primary key, run bytea not null);

create table event (number bigint primary key, event bytea not null);

create table note (
    topic text collate "C" not null,
    key text collate "C" not null,
    note bytea not null,
    until double precision not null,
    primary key (topic, key)
);

create index note_until on note (until);
