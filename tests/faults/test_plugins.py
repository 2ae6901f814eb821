"""Plugins that do wrong: what they spoil is their own, it is named, and everybody else is done in the same run.

What no plugin in this process can be kept from is to hang in its generator, or to use up the memory.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.sdk.kind import Category, FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.plugin import OperationalPlugin
from tests.engine.conftest import Notes
from tests.faults.house import House, says, service


class BadSpec(Spec):
    text: str


def raises(service: Service) -> Iterator[BadSpec]:
    raise RuntimeError("boom")


def raises_late(service: Service) -> Iterator[BadSpec]:
    yield BadSpec(text="a")
    raise KeyError(service.name)


def recurses(service: Service) -> Iterator[BadSpec]:
    yield from recurses(service)


def is_none(service: Service) -> Any:
    return None


def strings(service: Service) -> Iterator[Any]:
    yield "text"


def others(service: Service) -> Iterator[Any]:
    yield {"text": "a"}


def many(service: Service) -> Iterator[BadSpec]:
    yield from (BadSpec(text="a") for _ in range(1000))


def wrong_field(service: Service) -> Iterator[BadSpec]:
    yield BadSpec(text=object())  # type: ignore[arg-type]


def plugin(generate: Any, apply: Any = None, render: Any = None) -> type[OperationalPlugin]:
    kind = FileKind(
        name="bad/file", version=1, summary="a bad one", subject=Service, spec=BadSpec, generate=generate,
        path=lambda service, spec: "bad.txt", render=render or (lambda spec: f"{MARK}\n{spec.text}\n"),
    )  # fmt: skip
    words: dict[str, Any] = {
        "name": "bad", "version": "1", "category": Category.DOCUMENTATION, "summary": "bad", "kinds": (kind,),
    }  # fmt: skip
    return type("Bad", (OperationalPlugin,), words | ({"apply": apply} if apply else {}))


def fine(service: Service) -> Iterator[BadSpec]:
    yield BadSpec(text="a")


@pytest.mark.parametrize("generate", [raises, raises_late, recurses, is_none, strings, others, many, wrong_field])
async def test_a_generator_that_does_wrong(tmp_path: Path, generate: Any) -> None:
    house = House(tmp_path, plugins=(Notes, plugin(generate)))
    house.build()
    house.catalog.said = says([service("a"), service("b")])
    _, results = await house.run()
    assert {str(r.id.kind) for r in results if r.made} == {"notes/whole", "notes/block"}
    assert len(house.files()) == 4
    _, changes = await house.plan()
    assert {(c.kind, str(c.action)) for c in changes.values()} == {("bad/file", "refuse")}
    assert all("bug in bad 1" in c.reason or "two configs are called" in c.reason for c in changes.values())


async def _raises(self: Any, diff: Any, key: str) -> Any:
    raise RuntimeError("boom")


async def _none(self: Any, diff: Any, key: str) -> Any:
    return None


async def _text(self: Any, diff: Any, key: str) -> Any:
    return "done"


@pytest.mark.parametrize("apply", [_raises, _none, _text])
async def test_an_apply_that_does_wrong(tmp_path: Path, apply: Any) -> None:
    house = House(tmp_path, plugins=(Notes, plugin(fine, apply)))
    house.build()
    house.catalog.said = says([service("a"), service("b")])
    _, results = await house.run()
    bad = [r for r in results if r.id.kind == "bad/file"]
    assert [str(r.outcome) for r in bad] == ["failed", "failed"]
    assert all(r.reason.startswith("bug") for r in bad)
    assert sum(r.made for r in results) == 4


async def test_a_rendering_that_does_wrong(tmp_path: Path) -> None:
    def render(spec: BadSpec) -> str:
        raise ZeroDivisionError

    house = House(tmp_path, plugins=(Notes, plugin(fine, render=render)))
    house.build()
    house.catalog.said = says([service("a"), service("b")])
    _, results = await house.run()
    assert sum(r.made for r in results) == 4
    assert {str(r.outcome) for r in results if r.id.kind == "bad/file"} == {"failed"}
