"""Runs the engine in a process of its own that may be killed: `python -m tests.faults.driver`, one job a line.

Everything is imported once; each job is a fork, so that forty deaths take seconds. A job is JSON: the folder of the
house, the catalog, what a person agreed to, and where to die: `kill` is [object, method, "before" or "after", nth
call]. The answer is two lines: the job's process, then its exit code, negative for a signal.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from pathlib import Path
from typing import Any

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.run import Request
from nthlayer_sync.model.ref import EntityRef, entity_ref
from tests.faults.house import House, says, service


class Deadly:
    """Passes every call on, and kills the process at one of them."""

    def __init__(self, inner: Any, method: str, when: str, nth: int) -> None:
        self._inner, self._method, self._when, self._left = inner, method, when, nth
        if hasattr(inner, "restore"):  # a protocol looks for what an object says it has
            self.restore = self.__getattr__("restore")

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name != self._method:
            return found
        if name in ("each_memory", "parts"):
            return found

        async def call(*words: Any, **named: Any) -> Any:
            self._left -= 1
            if self._left == 0 and self._when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            result = await found(*words, **named)
            if self._left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return result

        return call


async def work(job: dict[str, Any]) -> None:
    house = House(Path(job["folder"]))
    house.catalog.said = says([service(name, text, uid=uid) for name, text, uid in job["services"]])
    if job.get("kill"):
        what, *how = job["kill"]
        wrap = lambda inner: Deadly(inner, *how)  # noqa: E731
        if what == "store":
            house.wrap_store = wrap
        else:
            house.wrap_target = wrap
    gone = frozenset(EntityRef(entity_ref("component", name)) for name in job.get("gone", ()))
    plan, results = await house.run(Request(consent=Consent(deletes=job.get("deletes", 0)), gone=gone))
    answer = {"counts": plan.counts, "outcomes": sorted({str(r.outcome) for r in results}), "id": plan.id}
    (house.folder / "answer.json").write_text(json.dumps(answer))


def main() -> None:
    for line in sys.stdin:
        job = json.loads(line)
        child = os.fork()
        if child == 0:
            try:
                with open(Path(job["folder"]) / "log.txt", "a") as log:
                    os.dup2(log.fileno(), 1)
                    os.dup2(log.fileno(), 2)
                    os.setpgid(0, 0)
                    asyncio.run(work(job))
            except BaseException:
                traceback.print_exc()
                os._exit(1)
            os._exit(0)
        print(json.dumps({"pid": child}), flush=True)
        _, status = os.waitpid(child, 0)
        print(json.dumps({"code": os.waitstatus_to_exitcode(status)}), flush=True)


if __name__ == "__main__":
    main()
