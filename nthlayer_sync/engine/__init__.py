"""From facts to live configs, one verb a module: ingest, generate, observe, plan, apply; `run` puts them in order.

    sources ─ingest→ Kept ─graph→ subjects ─generate→ Wanted ┐
                                          targets ─observe→ ├─plan→ Plan ─guards─review─apply→ Result
                                    store (last applied) ───┘

The engine is level-based: every run compares all that is wanted with all that is live and all that was last applied. It
never acts on an event. Only `run` and `apply` do I/O, and only through a `Store`, `Source`s and `Target`s.

Not here: anything that knows a vendor, a file format or a flag of the command line.
"""
