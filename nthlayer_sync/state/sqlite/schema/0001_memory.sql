-- One row for each subject, not for each config: a catalog of 10,000 services has 250,000 configs.
create table memory (
    subject text primary key,
    fingerprint blob not null,
    uid text not null,
    settled int not null,
    astray int not null, -- something live stood otherwise than remembered, so that applying alone does not settle it
    wanted blob not null,
    applied blob not null,
    sum int not null -- of the subject and what is applied
) without rowid;

-- How many configs are applied: scope '' is all of them, others are a kind's or an owner's.
create table existing (scope text primary key, count int not null) without rowid;

-- What each source is held to have said.
create table source (name text primary key, digest text not null, kept blob not null) without rowid;

create table entity (source text, ref text, entity blob not null, primary key (source, ref)) without rowid;

-- The state in which each repository or account was last seen.
create table root (name text primary key, state text not null) without rowid;

create table plan (number integer primary key, id text not null unique, head blob not null);

create table part (
    plan int not null references plan (number) on delete cascade,
    subject text not null,
    changes blob not null,
    primary key (plan, subject)
) without rowid;

create table journal (
    number integer primary key,
    key text not null,
    plan text not null,
    entry blob not null,
    done int not null,
    unique (plan, key)
);

create index journal_open on journal (number) where done = 0;
