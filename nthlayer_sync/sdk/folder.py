"""The files in one folder of this machine: written whole, never through a link, and put back after a crash.

A server loads the files when it is told to. Until it has, what it runs on are the texts that stood there before; they
are kept in a file beside, so that after a crash in between the folder is seen as the server has it.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Generator, Mapping
from contextlib import contextmanager, suppress
from errno import EISDIR, ELOOP, ENXIO
from pathlib import Path
from stat import S_ISREG

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError

PENDING = ".nthlayer-sync.pending"
"""The file that holds what the server runs on, while it may not have loaded what stands there."""
_LARGEST = 5_000_000
"""Bytes of a file that is read."""
_MOST = 100_000
"""Files of one folder that are looked at."""


class Step(msgspec.Struct, frozen=True):
    """One file that was written and perhaps not loaded: its text before and after; None is no file."""

    before: str | None
    after: str | None


class Folder:
    """The files whose names end with `suffix`, by their names without it. Every method blocks."""

    def __init__(self, path: Path, suffix: str) -> None:
        self.path = path
        self._suffix = suffix

    def names(self) -> list[str]:
        """What is there, or may be put back."""
        with self._opened() as folder:
            found = {
                name.removesuffix(self._suffix)
                for name in os.listdir(folder)
                if name.endswith(self._suffix) and not name.startswith(".")
            }
            found |= self._pending(folder).keys()
        if len(found) > _MOST:
            raise PermanentError(f"{self.path} holds more than {_MOST:,} files")
        return sorted(found)

    def read(self, names: Collection[str]) -> dict[str, str]:
        """The texts as the server has them."""
        with self._opened() as folder:
            texts = {name: text for name in names if (text := _read(folder, name + self._suffix)) is not None}
            for name, step in self._pending(folder).items():
                if name in names and texts.get(name) == step.after:
                    texts.pop(name, None)
                    if step.before is not None:
                        texts[name] = step.before
        return texts

    def put_back(self) -> None:
        """Make what stands there what the server has; what somebody else wrote since stays."""
        with self._opened() as folder:
            for name, step in self._pending(folder).items():
                if _read(folder, name + self._suffix) == step.after:
                    _write(folder, name + self._suffix, step.before)
            self._forget(folder)

    def write(self, texts: Mapping[str, str | None], *, loaded: Mapping[str, str | None]) -> None:
        """Write files (None: remove them); `loaded` is what the server has of each, until `settle` is called."""
        steps = {name: Step(loaded[name], text) for name, text in texts.items()}
        with self._opened() as folder:
            pending = self._pending(folder) | steps
            _write(folder, PENDING, msgspec.json.encode(pending).decode())
            for name, text in texts.items():
                _write(folder, name + self._suffix, text)
            os.fsync(folder)

    def settle(self) -> None:
        """The server has what stands there."""
        with self._opened() as folder:
            self._forget(folder)

    def _forget(self, folder: int) -> None:
        os.fsync(folder)
        with suppress(FileNotFoundError):
            os.unlink(PENDING, dir_fd=folder)

    def _pending(self, folder: int) -> dict[str, Step]:
        text = _read(folder, PENDING)
        try:
            return msgspec.json.decode(text, type=dict[str, Step]) if text else {}
        except msgspec.DecodeError as error:
            raise PermanentError(f"{self.path / PENDING} is damaged: remove it, and apply again") from error

    @contextmanager
    def _opened(self) -> Generator[int]:
        try:
            folder = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        except OSError as error:
            raise PermanentError(f"{self.path} cannot be opened: {error.strerror}") from error
        try:
            yield folder
        except OSError as error:
            raise TemporaryError(f"{self.path}: {error.strerror}: {error.filename}") from error
        finally:
            os.close(folder)


def _read(folder: int, name: str) -> str | None:
    """The text of a file; "" for what is no file, or is too large to be one of ours."""
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
        with os.fdopen(file, "rb") as opened:
            size = os.fstat(file).st_size
            if not S_ISREG(os.fstat(file).st_mode) or (size > _LARGEST and name != PENDING):
                return ""
            return opened.read(size).decode(errors="replace")
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno in (ELOOP, EISDIR, ENXIO):
            return ""
        raise


def _write(folder: int, name: str, text: str | None) -> None:
    """Whole or not at all: the name stands for the old text until it stands for the new one."""
    if text is None:
        with suppress(FileNotFoundError):
            os.unlink(name, dir_fd=folder)
        return
    new = f".{name.removeprefix('.')}.new"
    with suppress(FileNotFoundError):
        os.unlink(new, dir_fd=folder)  # of a run that was killed
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644, dir_fd=folder)
    with os.fdopen(file, "wb") as opened:
        opened.write(text.encode())
        opened.flush()
        os.fsync(opened.fileno())
    os.replace(new, name, src_dir_fd=folder, dst_dir_fd=folder)
