"""stopping: whoever waits for something also hears that it is to stop."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any


async def unless(stopping: asyncio.Event, waiting: Coroutine[Any, Any, object]) -> None:
    """Wait for `waiting` to end, or for the word to stop; what it raises is raised."""
    tasks = [asyncio.ensure_future(waiting), asyncio.ensure_future(stopping.wait())]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        if tasks[0].done():
            tasks[0].result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def pause(stopping: asyncio.Event, seconds: float) -> None:
    """Wait so long, unless we are told to stop."""
    await unless(stopping, asyncio.sleep(seconds))
