"""graph, why, kinds, generate: the commands that only look."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli import options
from nthlayer_sync.cli.output import console, counted, notes, print_diagnoses, print_json
from nthlayer_sync.cli.requests import entity, near
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.why import Explanation
from nthlayer_sync.engine.why import why as explain
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.service import Organisation, Subject
from nthlayer_sync.sdk.discover import folder_names, installed, load


class GraphFormat(StrEnum):
    """What the graph is drawn in."""

    MERMAID = "mermaid"
    DOT = "dot"
    JSON = "json"


@options.awaited
async def graph(
    around: Annotated[str, typer.Argument(metavar="[ENTITY]", help="Draw only what is near it.")] = "",
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: Annotated[GraphFormat, typer.Option("--format", "-f", help="What to draw in.")] = GraphFormat.MERMAID,
    depth: Annotated[int, typer.Option(help="How many steps away.", min=1, max=20)] = 1,
    blast_radius: Annotated[bool, typer.Option("--blast-radius", help="Show who is hit when ENTITY fails.")] = False,
) -> None:
    """Draw who needs and who owns what."""
    from nthlayer_sync.graph.draw import DRAW, picture
    from nthlayer_sync.graph.query import blast

    async with App.load(settings).engine() as engine:
        await engine.read()
        ref = _known(engine, around) if around else None
        if not blast_radius:
            print(DRAW[format](picture(engine.subjects, ref, depth)), end="")
            return
        if ref is None:
            raise InputError("name the entity whose blast radius you want")
        found = blast(engine.subjects, ref)
        if format is GraphFormat.JSON:
            print_json(found)
            return
        tiers = ", ".join(f"{count} of {f'tier {tier}' if tier else 'no tier'}" for tier, count in found.tiers.items())
        reached = counted(found.total, "entity", "entities")
        console.print(f"A failure of {escape(ref)} reaches {reached}{f': {tiers}' if tiers else ''}.")
        for number, ring in enumerate(found.rings, 1):
            console.print(f"  ring {number}: {escape(', '.join(ring))}")


@options.awaited
async def why(
    name: Annotated[str, typer.Argument(metavar="ENTITY", help="The service or team.")],
    kind: Annotated[str, typer.Argument(help="The kind, such as kubernetes/hpa.")],
    path: Annotated[str, typer.Argument(metavar="[PATH]", help="Only values whose path or text has this in it.")] = "",
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
) -> None:
    """Say where each generated value comes from."""
    async with App.load(settings).engine() as engine:
        await engine.read()
        subject = _subject(engine, name)
        if isinstance(subject, Organisation):
            raise InputError(f"{subject.ref} is made of all teams; ask for a service or a team")
        resolved = engine.subjects.resolved(subject.ref)
        origins = resolved.origins if resolved else {}
        found = explain(subject, kind, engine.generator, engine.setup.tiers, origins)
    chosen = {
        id: [e for e in explanations if not path or path in e.path or path in e.value]
        for id, explanations in found.items()
    }
    if not any(chosen.values()):
        raise InputError(f"{kind} of {subject.ref} has no value with {path!r} in its path or text")
    if format is options.Format.JSON:
        print_json({str(id): explanations for id, explanations in chosen.items()})
    else:
        _print_explanations(chosen)


@options.awaited
async def kinds(
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
) -> None:
    """List every kind of config, and which of them are on."""
    on = set(App.load(settings).generator().kinds) if settings.exists() else set[str]()
    rows = [
        {
            "kind": kind.name,
            "version": kind.version,
            "category": kind.category or plugin.category,
            "for": kind.subject.__name__.lower(),
            "on": kind.name in on,
            "summary": kind.summary,
        }
        for plugin in map(load, sorted({*folder_names(), *installed()}))
        for kind in plugin.kinds
    ]
    if format is options.Format.JSON:
        print_json(rows)
        return
    columns = ("kind", "for", "category")
    widths = {column: max(len(str(row[column])) for row in rows) for column in columns}
    for row in rows:
        mark = "[green]on [/]" if row["on"] else "[dim]off[/]"
        cells = "  ".join(f"{row[column]:<{widths[column]}}" for column in columns)
        console.print(f"{mark}  {escape(cells)}  {escape(str(row['summary']))}")


@options.awaited
async def generate(
    name: Annotated[str, typer.Argument(metavar="[ENTITY]", help="Only for this entity.")] = "",
    kind: Annotated[str, typer.Argument(metavar="[KIND]", help="Only this kind.")] = "",
    settings: options.SettingsPath = options.DEFAULT_SETTINGS,
    format: options.AsFormat = options.Format.TEXT,
    out: Annotated[Path | None, typer.Option(help="Write the files below this new folder instead of printing.")] = None,
) -> None:
    """Render configs without comparing or applying anything."""
    async with App.load(settings).engine() as engine:
        await engine.read()
        subjects = [_subject(engine, name)] if name else [s for s in engine.subjects if isinstance(s, Subject)]
        rendered = [text for subject in subjects for text in _render(engine, subject, kind)]
    if not rendered:
        raise InputError(f"nothing is generated{f' of kind {kind}' if kind else ''}{f' for {name}' if name else ''}")
    if out is not None:
        _write(out, rendered)
        console.print(f"{counted(len(rendered), 'config')} written below {escape(str(out))}.")
    elif format is options.Format.JSON:
        print_json([{"id": str(id), "path": path, "content": content} for id, path, content in rendered])
    elif len(rendered) == 1:
        print(rendered[0][2], end="")
    else:
        for id, path, content in rendered:
            console.rule(f"[bold]{escape(str(id))}[/] [dim]{escape(path)}[/]", align="left")
            print(content, end="")


def _render(engine: Engine, subject: Subject, kind: str) -> list[tuple[ConfigId, str, str]]:
    made = engine.generator.generate(subject)
    for failed, reason in made.failed.items():
        if not kind or failed == kind:
            notes.print(f"[red]error[/] {escape(failed)} for {escape(subject.ref)}: {escape(reason)}")
    return [
        (config.id, config.place.path, engine.generator.kinds[config.id.kind].content(config.spec))
        for config in made.configs
        if not kind or config.id.kind == kind
    ]


def _write(out: Path, rendered: list[tuple[ConfigId, str, str]]) -> None:
    from nthlayer_sync.git import check_path

    if out.exists() and any(out.iterdir()):
        raise InputError(f"{out} is not empty; name a new folder, so that nothing is overwritten")
    for id, path, content in rendered:
        check_path(path)
        file = out / id.kind.partition("/")[0] / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(content)


def _print_explanations(found: dict[ConfigId, list[Explanation]]) -> None:
    for id, explanations in found.items():
        console.print(f"[bold]{escape(str(id))}[/]")
        for explanation in explanations:
            console.print(f"  {escape(explanation.path)} = [green]{escape(explanation.value)}[/]")
            for reason in explanation.reasons:
                console.print(
                    f"      [cyan]{escape(reason.input)}[/] = {escape(reason.value)} "
                    f"[dim]from {escape(reason.origin)}[/]"
                )
            if not explanation.reasons:
                console.print("      [dim]fixed by the kind[/]")


def _known(engine: Engine, name: str) -> EntityRef:
    ref = entity(name)
    if ref not in engine.graph.entities and ref != engine.graph.organisation:
        raise InputError(f"no source shows {ref}{near(ref, engine.graph.entities)}")
    return ref


def _subject(engine: Engine, name: str) -> Subject:
    ref = _known(engine, name)
    found = engine.subjects.get(ref)
    if isinstance(found, Subject):
        return found
    if found is not None:
        print_diagnoses(found.diagnoses)
        raise InputError(f"{ref} is held until this is mended")
    raise InputError(f"{ref} is not managed: it is a component without a tier, or no service or team")
