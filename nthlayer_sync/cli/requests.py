"""What a person says about one run in flags, and whether it means anything."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from shlex import quote

import typer

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.reading import CODE
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import EntityRef, parse_ref, ref_parts


def request_of(
    consent: Consent, shrink: list[str] | None, gone: list[str] | None, drop: list[str] | None, enforce: bool
) -> Request:
    """The request that the flags make."""
    return Request(
        consent=consent,
        enforce=enforce,
        gone=frozenset(entity(text) for text in gone or ()),
        shrunk=frozenset(shrink or ()),
        dropped=frozenset(drop or ()),
    )


def entity(text: str) -> EntityRef:
    """A reference as people type it: a component, in the default namespace, unless they say otherwise."""
    try:
        return parse_ref(text, kind="component")
    except ValueError as error:
        raise InputError(str(error)) from error


def confirm(question: str, instead: str = "") -> None:
    """Ask; typer.Abort on a no. InputError where nobody is there, with what may be done instead."""
    if not sys.stdin.isatty():
        raise InputError("nobody is there to ask; say --yes" + (f", or {instead}" if instead else ""))
    typer.confirm(question, abort=True)


def config(text: str) -> ConfigId:
    """A config as people type it: `KIND ENTITY` or `KIND ENTITY#NAME`."""
    kind, _, rest = text.strip().partition(" ")
    ref, _, name = rest.strip().partition("#")
    if not ref:
        raise InputError(f"{text!r} names no config; write it as 'KIND ENTITY', such as 'kubernetes/hpa payments'")
    return ConfigId(kind, entity(ref), name)


def flags(request: Request) -> str:
    """A request as it is typed."""
    consent = request.consent
    words = [
        *([f"--allow-deletes {consent.deletes}"] if consent.deletes else []),
        *([f"--allow-updates {consent.updates}"] if consent.updates else []),
        *([f"--allow-recreates {consent.recreates}"] if consent.recreates else []),
        *(f"--allow-protected {quote(id)}" for id in sorted(consent.protected)),
        *(f"--allow-shrink {quote(source)}" for source in sorted(request.shrunk)),
        *(f"--gone {quote(ref)}" for ref in sorted(request.gone)),
        *(f"--drop-source {quote(source)}" for source in sorted(request.dropped)),
        *(["--enforce"] if request.enforce else []),
    ]
    return " ".join(words)


async def check(engine: Engine, request: Request, sources: Iterable[str]) -> None:
    """InputError where the request names a source or an entity of which it cannot be true; reads the sources for it.

    `sources` are those that the settings name.
    """
    named, remembered = set(sources), set(await engine.store.read_digests()) - {CODE}
    for source in sorted(request.shrunk - named):
        raise InputError(f"--allow-shrink {source}: the settings name no such source, only {', '.join(sorted(named))}")
    for source in sorted(request.dropped):
        if source in named:
            raise InputError(f"--drop-source {source}: the settings still name it; take it out of them first")
        if source not in remembered:
            known = ", ".join(sorted(remembered - named)) or "none"
            raise InputError(f"--drop-source {source}: nothing is remembered of it; what could be dropped: {known}")
    if request.gone:
        await _check_gone(engine, request, remembered)


async def _check_gone(engine: Engine, request: Request, remembered: Iterable[str]) -> None:
    shown = set(await engine.store.traces(request.gone))
    for source in remembered:
        kept = await engine.store.kept(source)
        shown |= {entity.ref for entity in kept.entities} if kept else set()
    await engine.read(request)
    for ref in sorted(request.gone):
        if ref in engine.graph.entities:
            raise InputError(f"--gone {ref}: a source still shows it, or showed it last and cannot be read now")
        if ref not in shown:
            raise InputError(f"--gone {ref}: no source ever showed it{near(ref, shown)}")


def near(ref: EntityRef, known: Iterable[EntityRef]) -> str:
    """`; did you mean …?` with what is called almost like `ref`, of its own kind before any other."""
    from difflib import get_close_matches

    wanted, others = ref_parts(ref), sorted(known)
    for same_kind in (True, False):
        names = {ref_parts(r).name: r for r in others if (ref_parts(r).kind == wanted.kind) is same_kind}
        if found := [names[name] for name in get_close_matches(wanted.name, names, n=3, cutoff=0.75)]:
            return f"; did you mean {', '.join(found)}?"
    return ""
