"""Where memory is kept. A store implements `sdk.store` and `sdk.work` and knows nothing of plugins or plans' meaning.

    sqlite/     one file, for one process and those who look in with the command line
    postgres/   a database, for several replicas
    records.py  what both store, and in which form
    retention.py  how much of it is kept
    migrations.py  the numbered scripts by which a schema grows
    bell.py     wakes who waits for work

Both speak SQL of their own. SQLite is used through the standard library: importing SQLAlchemy costs 0.66 s and 30 MB,
which is most of what a run in which nothing changed may take. Nothing below `postgres/` is imported unless it is used.
"""
