"""The sandbox in a process of its own: prints how to reach it, and ends with its standard input."""

from __future__ import annotations

import asyncio
import json
import sys

from nthlayer_sync.sandbox import Sandbox


async def main() -> None:
    async with Sandbox(["pagerduty"], empty=True) as sandbox:
        print(json.dumps(sandbox.pagerduty.settings()), flush=True)
        await asyncio.to_thread(sys.stdin.read)
        ledger = sandbox.ledger
        print(json.dumps({"committed": len(ledger.committed()), "requests": len(ledger.entries)}), flush=True)


if __name__ == "__main__":
    asyncio.run(main())
