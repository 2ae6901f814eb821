-- Bytes are those of the SQLite store. Names sort by their bytes, as they do there and in Python.

-- One row for each subject, not for each config: a catalog of 10,000 services has 250,000 configs.
create table memory (
    subject text collate "C" primary key,
    fingerprint bytea not null,
    uid text not null,
    settled boolean not null,
    astray boolean not null, -- something live stood otherwise than remembered, so that applying alone does not settle it
    wanted bytea not null,
    applied bytea not null,
    sum bigint not null -- of the subject and what is applied
);

-- How many configs are applied: scope '' is all of them, others are a kind's or an owner's.
create table existing (scope text collate "C" primary key, count bigint not null);

-- What each source is held to have said.
create table source (name text collate "C" primary key, digest text not null, kept bytea not null);

create table entity (
    source text collate "C" not null,
    ref text collate "C" not null,
    entity bytea not null,
    primary key (source, ref)
);

-- The state in which each repository or account was last seen.
create table root (name text collate "C" primary key, state text not null);

create sequence plan_number;

create table plan (number bigint primary key, id text collate "C" not null, head bytea not null);

create index plan_id on plan (id, number);

create table part (
    plan bigint not null,
    subject text collate "C" not null,
    changes bytea not null,
    primary key (plan, subject)
);

create sequence journal_number;

create table journal (
    number bigint primary key default nextval('journal_number'),
    key text collate "C" not null,
    plan text collate "C" not null,
    entry bytea not null,
    done boolean not null,
    unique (plan, key)
);

create index journal_open on journal (number) where not done;
