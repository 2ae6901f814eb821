"""drift --promote: what people changed by hand becomes what the blueprint says."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import msgspec
from rich.markup import escape

from nthlayer_sync.app import App
from nthlayer_sync.cli.options import PlanFormat
from nthlayer_sync.cli.output import console, counted, print_json, print_proposals
from nthlayer_sync.cli.requests import config, confirm
from nthlayer_sync.engine.blueprints import BlueprintFiles, Rewritten
from nthlayer_sync.engine.promote import Promotion, promote
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.search import Edit, Unsaid
from nthlayer_sync.engine.show import details
from nthlayer_sync.engine.trial import Trial
from nthlayer_sync.errors import Failure, InputError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Part
from nthlayer_sync.model.service import Service

SHOWN = 100
"""Characters of a value that are shown."""


@dataclass(frozen=True)
class Asked:
    """What a person says: which configs (all if none is named), whether to go ahead, how to print."""

    configs: list[str] | None
    yes: bool
    format: PlanFormat


@dataclass
class _Found:
    """What became of every live edit, and the blueprint files that follow."""

    promotions: list[Promotion] = field(default_factory=list[Promotion])
    files: list[Rewritten] = field(default_factory=list[Rewritten])
    also: list[ConfigId] = field(default_factory=list[ConfigId])


async def promote_edits(app: App, engine: Engine, parts: AsyncIterator[Part], asked: Asked) -> int:
    """Promote what was edited by hand; gives how many configs still differ from what is wanted."""
    if asked.format is PlanFormat.MARKDOWN:
        raise InputError("what is promoted is printed as text or JSON")
    blueprints = BlueprintFiles(app.facts.catalogs(), app.files)
    wanted = {str(config(text)) for text in asked.configs or ()}
    seen: set[str] = set()
    found = _Found()
    async for part in parts:
        edited = tuple(change for change in part.changes if change.action is Action.KEEP)
        chosen = tuple(change for change in edited if not wanted or str(part.id(change)) in wanted)
        if chosen:
            seen |= {str(part.id(change)) for change in chosen}
            await _promote(engine, blueprints, msgspec.structs.replace(part, changes=chosen), found)
    if missing := sorted(wanted - seen):
        raise InputError(f"nobody changed {', '.join(missing)} by hand; see what was changed with: nthlayer-sync drift")
    left = sum(bool(promotion.unsaid) for promotion in found.promotions)
    if asked.format is PlanFormat.TEXT:
        _print(found)
    elif found.files and not asked.yes:
        raise InputError("nobody can be asked within JSON; say --yes")
    commits: dict[str, str] = {}
    if found.files:
        if not asked.yes:
            confirm(f"Write {counted(len(found.files), 'blueprint file')}?", "write them by hand")
        commits = await engine.promote(blueprints, found.files, _message(found))
    if asked.format is PlanFormat.JSON:
        written = [{"root": each.place.root, "path": each.place.path} for each in found.files]
        rows = {"promotions": found.promotions, "written": written, "commits": commits, "also": map(str, found.also)}
        print_json({**rows, "also": [str(id) for id in found.also], "proposals": engine.proposals})
    else:
        _print_written(found, commits, app.settings.landing.branch)
        print_proposals(engine.proposals)
    return left


async def _promote(engine: Engine, blueprints: BlueprintFiles, part: Part, found: _Found) -> None:
    """Find what the blueprint of one subject has to say, and what its file becomes."""
    service, texts = engine.subject(part.subject), await details(engine, part)
    edits: dict[ConfigId, Edit] = {}
    for change in part.changes:
        id, detail = part.id(change), texts[change]
        if not isinstance(service, Service):
            why = "it is made of what several services share, which no single blueprint says"
        elif detail.trouble:
            why = detail.trouble
        elif not change.digest:
            why = "nobody asks for it any more"
        else:
            edits[id] = Edit(detail.before, (change.was or change.place).path)
            continue
        found.promotions.append(Promotion(id, {}, (Unsaid("", "", why),)))
    resolved = engine.subjects.resolved(part.subject)
    if not edits or not isinstance(service, Service) or resolved is None:
        return
    memories = await engine.store.memories([part.subject])
    applied = tuple(one for memory in memories.values() for one in memory.applied)
    trial = Trial(service, resolved.layers, engine.setup.tiers, engine.generator, applied)
    promoted = promote(trial, edits)
    try:
        if promoted.said:
            found.files.append(await blueprints.rewrite(engine.graph, trial, promoted))
    except Failure as error:
        reason = Unsaid("", "", str(error))
        found.promotions += [Promotion(each.id, {}, (*each.unsaid, reason)) for each in promoted.promotions]
    else:
        found.promotions += promoted.promotions
        found.also += promoted.also


def _message(found: _Found) -> str:
    lines = [f"- {each.id}: {', '.join(each.said)}" for each in found.promotions if each.said]
    count = counted(len(lines), "change by hand", "changes by hand")
    return f"nthlayer-sync: say {count} in blueprints\n\n" + "\n".join(lines) + "\n"


def _print(found: _Found) -> None:
    for promotion in found.promotions:
        console.print(f"[bold]{escape(str(promotion.id))}[/]")
        for path, value in promotion.said.items():
            console.print(f"  [green]{escape(path)}[/] = {escape(_short(msgspec.json.encode(value).decode()))}")
        for unsaid in promotion.unsaid:
            live = f" = {_short(unsaid.live)}" if unsaid.live else ""
            where = f"{unsaid.path}{live}: " if unsaid.path else ""
            console.print(f"  [yellow]not said[/] {escape(f'{where}{unsaid.reason}')}")
    for file in found.files:
        sides = ((file.before or b"").decode().splitlines(), file.after.decode().splitlines())
        for line in difflib.unified_diff(*sides, file.place.path, file.place.path, lineterm="", n=2):
            tint = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
            console.print(f"  [{tint}]{escape(line)}[/]")
    if found.also:
        named = ", ".join(str(id) for id in found.also[:5])
        more = f" and {len(found.also) - 5} more" if len(found.also) > 5 else ""
        console.print(f"[dim]The next plan then also changes {escape(named)}{more}.[/]")


def _print_written(found: _Found, commits: dict[str, str], branch: str) -> None:
    if not found.promotions:
        console.print("No drift.")
        return
    for file in found.files:
        console.print(f"[green]written[/] {escape(file.place.path)} [dim]in {escape(file.place.root)}[/]")
    for root, sha in sorted(commits.items()):
        where = f"{root}: commit {sha}, branch {branch}; in force once that is merged"
        console.print(f"[green]committed[/] {escape(where)}")
    left = sum(bool(promotion.unsaid) for promotion in found.promotions)
    console.print(
        f"{len(found.promotions) - left} of {counted(len(found.promotions), 'live edit')} said by blueprints now."
    )
    if left:
        console.print(
            "[dim]What is left stays as people left it: drift --diff shows it, apply --enforce overwrites it.[/]"
        )


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 1]}…"
