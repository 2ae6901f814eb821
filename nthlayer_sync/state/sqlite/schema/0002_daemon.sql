-- What a line is about stands in columns, so that lines are counted and chosen without reading their entries.
alter table journal add column subject text not null default '';
alter table journal add column kind text not null default '';
alter table journal add column name text not null default '';
alter table journal add column owner text not null default '';
alter table journal add column action text not null default '';
alter table journal add column at real not null default 0;
update journal set
    subject = entry_column(entry, 'subject'), kind = entry_column(entry, 'kind'), name = entry_column(entry, 'name'),
    owner = entry_column(entry, 'owner'), action = entry_column(entry, 'action'), at = entry_column(entry, 'at');
create index journal_subject on journal (subject, plan);
-- In the order in which lines are counted, which is ten times as fast as in that of their times.
create index journal_written on journal (kind, owner, action, at) where done;

create index memory_uid on memory (uid) where uid <> '';

-- The plan that last found something to do for a subject, until that is done. Its part is copied here when the plan goes.
alter table memory add column plan int;
alter table memory add column part blob;
alter table memory add column part_plan text;
update memory set plan = (
    select max(plan) from part where part.subject = memory.subject
) where not settled;
create index memory_standing on memory (subject, plan) where plan is not null;

alter table plan add column parts int not null default 0;
update plan set parts = (select count(*) from part where part.plan = plan.number);

-- The generation in which an entity last changed.
alter table entity add column generation int not null default 0;

-- Numbers that only grow: 'generation' of what sources said, 'token' of claims.
create table counter (name text primary key, value int not null) without rowid;
insert into counter values ('generation', 0), ('token', 0);

-- The work set. A time is given with the seconds it was set ahead, so that a clock that was set back shows.
create table work (
    topic text not null,
    key text not null,
    want int not null, -- how often it was asked for
    asked real not null, -- the oldest ask that is not served
    due real not null,
    delay real not null,
    why text not null,
    next_asked real, -- what was asked since it was claimed
    next_due real,
    next_delay real,
    next_why text,
    owner text not null default '',
    token int not null default 0,
    until real not null default 0,
    length real not null default 0, -- of the lease
    tries int not null default 0,
    error text not null default '',
    primary key (topic, key)
) without rowid;

create index work_due on work (topic, due);

create table run (number integer primary key, id text not null unique, run blob not null);

create table event (number integer primary key autoincrement, event blob not null);

create table note (
    topic text not null,
    key text not null,
    note blob not null,
    until real not null,
    primary key (topic, key)
) without rowid;

create index note_until on note (until);
