"""Runs the engine against a sandbox in a process of its own that may be killed: one job a line, each a fork.

`python -m tests.faults.live.driver`. A job is JSON: the folder of the company, how to reach its tools, what the
catalog says, who is gone; `ticks` are the times of day of its runs; `kill` is where to die: [method of the store or
"request", "before" or "after", nth call]. The answer is two lines: the job's process, then its exit code, negative
for a signal.
"""

import asyncio
import itertools
import json
import os
import signal
import sys
import time
import traceback
from pathlib import Path
from typing import Any

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.run import Request
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.sdk.http import line
from tests.faults.driver import Deadly
from tests.faults.house import service
from tests.faults.live.company import Company


def deadly_requests(when: str, nth: int) -> None:
    """Dies at the nth request that is to change something, before it is sent or once it is answered."""
    send, numbers = line.Line.send, itertools.count(1)

    async def call(self: Any, method: str, *words: Any, **named: Any) -> Any:
        due = method != "GET" and next(numbers) == nth
        if due and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = await send(self, method, *words, **named)
        if due:
            os.kill(os.getpid(), signal.SIGKILL)
        return answer

    line.Line.send = call  # type: ignore[method-assign]


async def work(job: dict[str, Any]) -> None:
    company = Company(Path(job["folder"]), job["reach"])
    if kill := job.get("kill"):
        if kill[0] == "request":
            deadly_requests(*kill[1:])
        else:
            company.wrap_store = lambda store: Deadly(store, *kill)
    gone = frozenset(entity_ref("component", name) for name in job["gone"])
    company.says([service(name, text, uid=name) for name, text in job["services"]])
    counts, outcomes = [], []
    for now in job["ticks"]:
        time.time = lambda now=now: now  # type: ignore[assignment]
        plan, results = await company.tick(Request(consent=Consent(deletes=len(gone)), gone=gone))
        counts.append(plan.counts)
        outcomes.append(sorted({f"{each.outcome} {each.reason}" for each in results}))
    (company.folder / "answer.json").write_text(json.dumps({"counts": counts, "outcomes": outcomes}))


def main() -> None:
    for said in sys.stdin:
        job = json.loads(said)
        child = os.fork()
        if child == 0:
            try:
                with open(Path(job["folder"]) / "log.txt", "a") as log:
                    os.dup2(log.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                    asyncio.run(work(job))
            except BaseException:
                traceback.print_exc()
                sys.stderr.flush()
                os._exit(1)
            os._exit(0)
        print(json.dumps({"pid": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
