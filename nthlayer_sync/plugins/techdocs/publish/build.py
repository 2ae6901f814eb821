"""Builds a site with mkdocs and techdocs-core, in a process of its own that can do little else.

mkdocs runs hooks, plugins and macros that its file names: they are code. Here it is given a file that we wrote, with
techdocs-core and nothing more. Of the programs that extensions of techdocs-core would start (dot, plantuml) it finds
none; it sees no variable of our environment, no secret and no module but those that are installed.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from html import escape
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.plugins.techdocs.mkdocs import CORE, TITLES
from nthlayer_sync.plugins.techdocs.publish.source import Source
from nthlayer_sync.yaml.emit import dump

SECONDS = 120.0
"""For one build; an ordinary one takes two."""
LARGEST_SITE = 64 << 20
"""Bytes of a built site; an ordinary one has three million, most of them the theme's."""
MOST_FILES = 2_000
METADATA = "techdocs_metadata.json"
_LIMITED = (
    "import resource as r, runpy;"
    "r.setrlimit(r.RLIMIT_CPU, (90, 90));"
    "r.setrlimit(r.RLIMIT_FSIZE, (1 << 25, 1 << 25));"
    "r.setrlimit(r.RLIMIT_CORE, (0, 0));"
    "runpy.run_module('mkdocs', run_name='__main__')"
)
_SAID = 600
"""Characters of what mkdocs says that are handed on."""

Files = Mapping[str, bytes]
"""The content of each file of a site, by its path in it."""


async def build(source: Source) -> Files:
    """The files of the site, without TechDocs's metadata; the same source gives the same bytes."""
    if find_spec("techdocs_core") is None or find_spec("mkdocs") is None:
        raise PermanentError("building sites needs the extra: pip install 'nthlayer-sync[techdocs]'")
    with TemporaryDirectory(prefix="nthlayer-sync-techdocs-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        await asyncio.to_thread(_lay_out, folder, source)
        await _run(folder)
        return await asyncio.to_thread(_collect, folder / "site")


def _lay_out(folder: Path, source: Source) -> None:
    settings = {  # the theme writes these into its pages as they are
        "site_name": escape(source.name),
        "site_description": escape(source.description),
        "nav": [{TITLES[page]: page} for page in TITLES if page in source.pages],
        "plugins": [CORE],
        # techdocs-core takes this theme anyway. With its fonts every reader's browser would ask Google for them.
        "theme": {"name": "material", "font": False},
    }
    (folder / "docs").mkdir()
    (folder / "programs").mkdir()
    (folder / "mkdocs.yml").write_text(dump(settings), encoding="utf-8", newline="\n")
    for page, text in source.pages.items():
        (folder / "docs" / page).write_text(text, encoding="utf-8", newline="\n")


async def _run(folder: Path) -> None:
    environment = {
        "PATH": str(folder / "programs"),
        "HOME": str(folder),
        "TMPDIR": str(folder),
        "LANG": "C.UTF-8",
        "SOURCE_DATE_EPOCH": "0",  # else the site map changes every day
    }
    arguments = ("build", "--quiet", "--config-file", "mkdocs.yml", "--site-dir", "site")
    with (folder / "said").open("wb") as said:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-c", _LIMITED, *arguments),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=said,
            stderr=said,
            start_new_session=True,
        )
    try:
        async with asyncio.timeout(SECONDS):
            code = await process.wait()
    except TimeoutError:
        raise TemporaryError(f"mkdocs did not build the site within {SECONDS:g} s") from None
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
    if code != 0:
        text = (folder / "said").read_bytes()[-_SAID * 4 :].decode(errors="replace")
        plain = " ".join("".join(c if c.isprintable() else " " for c in text).split())
        raise PermanentError(f"mkdocs does not build the site (it ended with {code}): {plain[-_SAID:]}")


def _collect(site: Path) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    size = 0
    for folder, _, names in os.walk(site):
        for name in names:
            path = Path(folder, name)
            if path.is_symlink() or not path.is_file():
                raise PermanentError(f"mkdocs left something else than a file in the site: {name}")
            size += path.stat().st_size
            if size > LARGEST_SITE or len(files) >= MOST_FILES:
                raise PermanentError(f"the site has more than {LARGEST_SITE:,} bytes or {MOST_FILES:,} files")
            files[path.relative_to(site).as_posix()] = path.read_bytes()
    files.pop(METADATA, None)  # techdocs-core begins one; whoever publishes completes it
    if "index.html" not in files:
        raise PermanentError("mkdocs built a site without a front page")
    return files
