"""Runs the `git` command in a closed environment: bounded in number and time, its complaints translated.

Git sees no configuration of the system or the user, runs no hook of the mirror, never prompts, and speaks only the
allowed protocols. What a person wrote is never an option: it comes after `--`, or is a checked name in a full refspec.
"""

from __future__ import annotations

import asyncio
import os
import re
import signal
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncGenerator, Collection, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from weakref import WeakKeyDictionary

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.git.address import Address, redact

AT_ONCE = 8
"""Git processes of one event loop at the same time; each may start a few of its own."""
_STDERR_KEPT = 65_536
_READ = 1 << 20

_KEPT_ENVIRONMENT = (
    *("PATH", "HOME", "TMPDIR", "USER", "SSH_AUTH_SOCK", "GIT_SSH_COMMAND", "GIT_SSL_CAINFO", "SSL_CERT_FILE"),
    *("SSL_CERT_DIR", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY"),
)
_ENVIRONMENT = {
    "LC_ALL": "C.UTF-8",
    "LANGUAGE": "C",
    "GIT_TERMINAL_PROMPT": "0",
    "GIT_ASKPASS": "",
    "SSH_ASKPASS": "",
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_LITERAL_PATHSPECS": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_SSH_COMMAND": "ssh -oBatchMode=yes -oConnectTimeout=30",
}
_CONFIGURATION = {
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "credential.helper": "",
    "protocol.allow": "never",
    # A slow transfer is fine, a dead one is not: bytes a second, for so many seconds.
    "http.lowSpeedLimit": "100",
    "http.lowSpeedTime": "60",
    # In the background it would outlive the lock of the mirror.
    "gc.autoDetach": "false",
    "maintenance.autoDetach": "false",
    # A commit adds one or two packs, so the usual limit of 50 would repack a large mirror every day.
    "gc.autoPackLimit": "250",
    "fastimport.unpackLimit": "1",
}

_NEEDS_A_PERSON = re.compile(
    r"authentication failed|could not read (username|password)|terminal prompts disabled|permission denied"
    r"|host key verification failed|returned error: (400|401|403|404|410|422)|permission to \S+ denied|access denied"
    r"|dubious ownership|repository (.* )?(not found|does not exist)|does not appear to be a git repository"
    r"|not valid: is this a git repository|transport '\S+' not allowed|unrelated histories|mismatched algorithms"
    r"|certificate|no such (device or address|identity)",
    re.IGNORECASE,
)
_DAMAGE = re.compile(
    r"not a git repository|bad object|corrupt|data stream error|object file \S+ is empty|unable to read (tree|sha1)"
    r"|(bad|missing|invalid) (tree|blob|commit|sha1|packfile)|packfile \S+ (cannot|does not|is not|claims)"
    r"|could not (read|parse)( object)? [0-9a-f]{40}|not a valid object name|bad config|unable to find [0-9a-f]{40}",
    re.IGNORECASE,
)


class MirrorDamaged(TemporaryError):
    """The local mirror cannot be read; it is only a cache and is fetched anew the next time."""


@dataclass(slots=True)
class Command:
    """A running command; `code` and `stderr` are known when the block that runs it has ended."""

    process: Process
    stderr: str = ""

    @property
    def code(self) -> int:
        """The exit code."""
        return self.process.returncode or 0

    async def feed(self, chunks: Iterable[bytes]) -> None:
        """Write the chunks to the command's input; that it has ended already shows later, in its exit code."""
        assert self.process.stdin
        with suppress(BrokenPipeError, ConnectionResetError):
            for chunk in chunks:
                self.process.stdin.write(chunk)
                await self.process.stdin.drain()

    async def finish(self, chunks: Iterable[bytes] = ()) -> bytes:
        """Write the chunks, close the input, and take everything that the command prints until it ends."""
        assert self.process.stdin
        assert self.process.stdout
        reading = asyncio.create_task(self.process.stdout.read())
        try:
            await self.feed(chunks)
            self.process.stdin.close()
            return await reading
        finally:
            reading.cancel()

    async def kill(self) -> None:
        """End the command and what it started (transports, packers: all of its session), and close its pipes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        # A grandchild that has left the session may still hold a pipe; it is not worth waiting for.
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                await self.finish()
        await self.process.wait()
        # The process is gone, but a pipe that a grandchild holds keeps its transport open, and only this closes it.
        self.process._transport.close()  # pyright: ignore[reportPrivateUsage, reportAttributeAccessIssue, reportUnknownMemberType]

    async def read(self) -> bytes:
        """Some of what the command prints, b"" at its end."""
        assert self.process.stdout
        return await self.process.stdout.read(_READ)


@dataclass(frozen=True, slots=True)
class Git:
    """The `git` command on one mirror; `timeout` is in seconds and holds for each single command."""

    mirror: Path
    address: Address
    timeout: float
    environment: Mapping[str, str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        configuration = {
            **_CONFIGURATION,
            f"protocol.{self.address.protocol}.allow": "always",
            **self.address.secret,
        }
        environment = _ENVIRONMENT | {key: os.environ[key] for key in _KEPT_ENVIRONMENT if key in os.environ}
        environment["GIT_CONFIG_COUNT"] = str(len(configuration))
        for number, (key, value) in enumerate(configuration.items()):
            environment |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
        object.__setattr__(self, "environment", environment)

    async def run(self, *arguments: str, stdin: bytes = b"", hold: int | None = None) -> bytes:
        """What the command prints."""
        async with self.start(*arguments, hold=hold) as command:
            return await command.finish([stdin])

    async def ask(self, *arguments: str) -> tuple[bool, bytes]:
        """The answer of a command that says yes or no by its exit code (0 or 1), and what it prints."""
        async with self.start(*arguments, fine=(0, 1)) as command:
            output = await command.finish()
        return command.code == 0, output

    @asynccontextmanager
    async def start(
        self, *arguments: str, hold: int | None = None, fine: Collection[int] = (0,)
    ) -> AsyncGenerator[Command]:
        """A running command with pipes for its input and output, waited for (or killed) at the end of the block.

        `hold` is the descriptor of a lock that the command keeps alive should this process die before it; `fine` are
        the exit codes that are answers, any other is an error.
        """
        async with _slots():
            process = await self._spawn(arguments, hold)
            command = Command(process)
            complaint = asyncio.create_task(_tail(process))
            try:
                async with asyncio.timeout(self.timeout):
                    yield command
                    await process.wait()
                    command.stderr = await complaint
            except TimeoutError:
                verb = arguments[0]
                raise TemporaryError(f"{self.address.url}: git {verb} took longer than {self.timeout:g} s") from None
            finally:
                if process.returncode is None:
                    await command.kill()
                complaint.cancel()
        if command.code not in fine:
            raise self.failure(arguments[0], command)

    async def _spawn(self, arguments: tuple[str, ...], hold: int | None) -> Process:
        try:
            return await asyncio.create_subprocess_exec(
                *("git", f"--git-dir={self.mirror}", *arguments),
                env=dict(self.environment),
                stdin=PIPE,
                stdout=PIPE,
                stderr=PIPE,
                limit=_READ,
                start_new_session=True,
                pass_fds=() if hold is None else (hold,),
            )
        except FileNotFoundError:
            raise PermanentError("the command `git` was not found; install Git") from None

    def failure(self, verb: str, command: Command) -> Failure:
        """What the command's complaint means, and what it says, fit to be shown."""
        stderr = command.stderr
        if command.code == 129:
            # Git did not understand its own command line: nobody but a programmer can mend that.
            raise RuntimeError(f"git {verb}: {stderr}")
        text = f"{self.address.url}: git {verb} failed: {redact(stderr) or f'exit code {command.code}'}"
        if _NEEDS_A_PERSON.search(stderr):
            return PermanentError(text)
        # What the remote says about itself is not about the mirror.
        if _DAMAGE.search(re.sub(r"(?m)^remote:.*", "", stderr)):
            return MirrorDamaged(text, delay=1.0)
        return TemporaryError(text)


async def _tail(process: Process) -> str:
    assert process.stderr
    kept = b""
    while chunk := await process.stderr.read(_READ):
        kept = (kept + chunk)[-_STDERR_KEPT:]
    return kept.decode(errors="replace")


_by_loop: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _slots() -> asyncio.Semaphore:
    return _by_loop.setdefault(asyncio.get_running_loop(), asyncio.Semaphore(AT_ONCE))
