"""A replica in a process of its own.

usage: replica.py ENGINE ADDRESS hold|work|open

`hold` claims, begins to write, says `held`, and waits to be killed. `work` does what there is and prints, for each key,
when it began and when it ended. `open` opens the store and says what its schema is.
"""

import asyncio
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from nthlayer_sync.sdk.work import Topic
from tests.state.rows import entry


def store(engine: str, address: str) -> Any:
    if engine == "sqlite":
        from nthlayer_sync.state.sqlite import SqliteStore

        return SqliteStore(Path(address))
    from nthlayer_sync.state.postgres import PostgresStore

    return PostgresStore(address)


async def hold(store: Any) -> None:
    claims = await store.work.claim(Topic.SUBJECT, "held", 5, 30)
    fenced = store.fenced(claims)
    async with fenced.applying():
        await fenced.intend([entry(1)])
        print("held", flush=True)
        await asyncio.Event().wait()


async def work(store: Any) -> None:
    owner = str(time.monotonic())
    while (await store.work.backlog())[Topic.SUBJECT].due:
        for claim in await store.work.claim(Topic.SUBJECT, owner, 3, 30):
            begin = time.monotonic()
            await store.fenced([claim]).see_roots({claim.key: owner})
            print(claim.key, claim.token, begin, time.monotonic(), flush=True)
            await store.work.finish([claim])


async def main(engine: str, address: str, what: str) -> None:
    async with store(engine, address) as opened:
        if what == "open":
            await opened.see_roots({"git a": "tree"})
            print("open", flush=True)
        else:
            await {"hold": hold, "work": work}[what](opened)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
