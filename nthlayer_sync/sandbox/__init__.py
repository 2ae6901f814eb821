"""Faithful stand-ins of SaaS tools on loopback: to try live targets without an account, and as the oracle of tests.

    async with Sandbox() as sandbox:
        sandbox.pagerduty.url                         # base address, as the vendor's client takes it
        sandbox.pagerduty.faults.add(Fault(status=503, path="/schedules*"))
        sandbox.ledger.entries                        # every write request there was

Every tool listens on its own port, so that a client needs another host and nothing else. A tool is a module in
`vendors/`: its collections, what it requires, what it adds. What all tools share stands beside it: storing objects
(`collection.py`), answering for a collection (`resource.py`), paging (`paging.py`), faults (`faults.py`), and the
write ledger (`ledger.py`). `admin.py` is the same for another process, over HTTP under `/_admin`.
"""

from nthlayer_sync.sandbox.faults import Fault
from nthlayer_sync.sandbox.ledger import Entry, Ledger
from nthlayer_sync.sandbox.sandbox import Sandbox
from nthlayer_sync.sandbox.secrets import kept_apart
from nthlayer_sync.sandbox.tool import Tool

__all__ = ["Entry", "Fault", "Ledger", "Sandbox", "Tool", "kept_apart"]
