"""Values: frozen, compared by content, free of I/O.

What people write (blueprints, settings) is pydantic, because its errors name every mistake at once. What flows through
the engine (entities, services, specs, plans) is msgspec, because a catalog of 10,000 services makes 250,000 configs and
a `Struct` is built, encoded and compared about ten times faster.

Not here: anything that reads or writes a file, a socket or a clock.
"""
