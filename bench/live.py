"""A journaled apply over loopback: objects of about 7 kB made in the sandbox, which runs in another process."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.http import Manners, Web
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.rest import Account, Collection, InText, Json, RestKind, RestPlugin, RestSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sources.directory import directory_source
from nthlayer_sync.state.sqlite import SqliteStore

HERE = Path(__file__).parent
TEXT = "What an ordinary object says of itself. " * 175
"""7 kB."""


class NoteSpec(Spec, frozen=True):
    name: str


def generate(service: Service) -> Iterator[NoteSpec]:
    yield NoteSpec(name=service.name)


def encode(spec: NoteSpec, account: Account, live: Json | None) -> Json:
    return {"type": "team", "name": spec.name, "description": TEXT.strip()}


def decode(body: Json, account: Account) -> Json:
    return {"name": body["name"]}


NOTE = RestKind(
    name="notes/note",
    version=1,
    summary="an object of ordinary size",
    subject=Service,
    spec=NoteSpec,
    generate=generate,
    collection=Collection("teams", "/teams", many="teams", one="team", mark=InText()),
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
)


class Notes(RestPlugin):
    name, version, category, summary = "notes", "1", Category.INCIDENT, "objects of ordinary size"
    kinds = (NOTE,)
    manners = Manners(rate=math.inf, at_once=32)
    scheme = "Token token={}"


async def live(folder: Path) -> dict[str, float]:
    """Seconds and objects of one apply; the folder holds the catalog."""
    command = [sys.executable, str(HERE / "standin.py")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as standin:  # noqa: ASYNC220
        assert standin.stdout
        settings: dict[str, Any] = json.loads(standin.stdout.readline())
        os.environ["BENCH_TOKEN"] = settings["token"]
        web = Web()
        runtime = Runtime(files=FileTarget(Repositories(folder / "cache", "bench", []), ("b", "b@b")), web=web)
        plugin = Notes(RestSettings(url=settings["url"], token="env:BENCH_TOKEN"), runtime)
        async with SqliteStore(folder / "live.db") as store:
            sources = [directory_source("catalog", folder, patterns=("catalog.json",))]
            engine = Engine(Setup("acme", load_tiers(None)), sources, Generator([plugin]), store)
            plan = await engine.plan()
            start = time.perf_counter()
            results = await engine.apply(plan, store.parts(plan.id))
            seconds = time.perf_counter() - start
            again = await engine.plan()
        await web.close()
        assert standin.stdin
        standin.stdin.close()
        committed = json.loads(standin.stdout.readline())["committed"]
    made = sum(result.outcome == "done" for result in results)
    assert made == committed == plan.writes
    assert again.writes == 0
    return {"seconds": seconds, "made": made, "rate": made / seconds}
