"""A program that is started, waited for, and stopped."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        return sock.getsockname()[1]


async def until(true: Callable[[], Awaitable[Any]], what: str, seconds: float = 60.0, every: float = 0.1) -> Any:
    """What `true` gives once it is something; it is asked again and again, for what other programs bring about."""
    loop = asyncio.get_running_loop()
    end = loop.time() + seconds
    while True:
        if found := await true():
            return found
        if loop.time() > end:
            pytest.fail(f"it did not come about within {seconds:.0f} s: {what}")
        await asyncio.sleep(every)


@dataclass
class Process:
    """One program; what it says goes to a file."""

    command: Sequence[str]
    folder: Path
    log: Path
    env: Mapping[str, str] = field(default_factory=dict[str, str])
    running: asyncio.subprocess.Process | None = None

    async def start(self, ready: Callable[[], Awaitable[Any]]) -> None:
        """Start it, and wait until `ready` is true."""
        with self.log.open("ab") as log:
            self.running = await asyncio.create_subprocess_exec(
                *self.command, cwd=self.folder, stdout=log, stderr=log, stdin=asyncio.subprocess.DEVNULL,
                env={**os.environ, **self.env}, start_new_session=True,
            )  # fmt: skip
        running = self.running

        async def either() -> bool:
            if running.returncode is not None:
                pytest.fail(f"{self.command[0]} ended with {running.returncode}:\n{self.log.read_text()[-3000:]}")
            return bool(await ready())

        await until(either, f"{self.log.stem} is ready")

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Stop it, if it runs."""
        if self.running is None or self.running.returncode is not None:
            return
        self.running.send_signal(how)
        try:
            await asyncio.wait_for(self.running.wait(), 20)
        except TimeoutError:
            self.running.kill()
            await self.running.wait()
