"""Where memory is kept. A store implements `sdk.store.Store` and knows nothing of plugins or plans' meaning.

SQLite is used through the standard library, with SQL of our own, in one thread that owns the connection: importing
SQLAlchemy costs 0.66 s and 30 MB, which is most of what a run in which nothing changed may take, and the schema is
seven small tables.
"""
