"""How much is kept of what grows with time. The newest stay; counts, not ages, bound the size of a memory."""

PLANS_KEPT = 20
"""Plans that stay whatever their size: who reviews one finds it after some more were made. One that is reviewed for
longer belongs in a plan file."""

SMALL_PLANS_KEPT = 1000
"""Plans that stay while all of them together have at most `PARTS_KEPT` parts: a daemon makes one for each batch, most
of a few subjects, and its runs refer to them."""

PARTS_KEPT = 50_000
"""Parts of plans: five full plans of 10,000 subjects, some 100 MB."""

PLANS_BETWEEN = 32
"""Plans are dropped with every 32nd, and with each large one: looking for old ones costs as much as a small plan."""

LARGE_PLAN = 1000
"""Parts that make a plan large."""

UNDOABLE_KEPT = 200
"""Applied plans that can be undone: a busy day of a daemon, so that what went wrong in the morning can be put back."""

JOURNAL_SECONDS = 86_400.0
"""Closed lines of the journal stay for a day in any case: guards count what small plans wrote lately."""

JOURNAL_BETWEEN = 600.0
"""Seconds between two looks for old lines of the journal; it takes a pass over all of them."""

RUNS_KEPT = 5000
"""Runs: some days of a busy daemon."""

EVENTS_KEPT = 20_000
"""Events; who watches reads them within seconds, and the rest is for people who ask what happened last night."""

ERROR_LENGTH = 2000
"""Characters of an error that are kept with a key that failed."""
