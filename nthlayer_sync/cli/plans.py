"""A plan in text, JSON, or Markdown for a pull request."""

from __future__ import annotations

import difflib
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

import msgspec
from rich.markup import escape

from nthlayer_sync.cli.options import PlanFormat
from nthlayer_sync.cli.output import cause, console, counted, print_json
from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.show import Detail, details
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part, Plan
from nthlayer_sync.sdk.quote import markdown, markdown_code

_SIGNS = {
    Action.CREATE: ("+", "green"),
    Action.UPDATE: ("~", "yellow"),
    Action.DELETE: ("-", "red"),
    Action.ADOPT: ("=", "cyan"),
    Action.KEEP: ("!", "magenta"),
    Action.HOLD: ("!", "magenta"),
    Action.WAIT: ("…", "blue"),
    Action.REFUSE: ("x", "red"),
}
LISTED = 400
"""Lines printed; beyond that only numbers by kind are."""
GROUPED = 4
"""From as many new configs of an entity on, and nothing else about it, they share a line."""


@dataclass(frozen=True)
class View:
    """What of a plan is shown: the text of each change, every line however many, only drift."""

    diff: bool = False
    all: bool = False
    drift: bool = False


async def print_plan(
    engine: Engine, plan: Plan, parts: AsyncIterator[Part], format: PlanFormat, view: View = View()
) -> None:
    """Print a plan."""
    if format is PlanFormat.JSON:
        await _print_json(engine, plan, parts, view.diff)
    elif format is PlanFormat.MARKDOWN:
        await _print_markdown(engine, plan, parts, view.diff)
    else:
        await _print_text(engine, plan, parts, view)


async def _print_json(engine: Engine, plan: Plan, parts: AsyncIterator[Part], diff: bool) -> None:
    changes: list[dict[str, object]] = []
    async for part in parts:
        texts = await details(engine, part) if diff else {}
        for change in part.changes:
            row: dict[str, object] = {
                "entity": part.subject,
                "kind": change.kind,
                "name": change.name,
                "action": change.action,
                "root": change.place.root,
                "path": change.place.path,
                "reason": change.reason,
            }
            if change in texts:
                row |= {"before": texts[change].before, "after": texts[change].after}
                row |= {"outlook": texts[change].outlook} if texts[change].outlook else {}
            changes.append(row)
    print_json({"id": plan.id, **msgspec.to_builtins(plan), "changes": changes})


async def _print_text(engine: Engine, plan: Plan, parts: AsyncIterator[Part], view: View) -> None:
    lines = folded = 0
    everything = view.diff or view.all
    refused: dict[tuple[str, str], list[str]] = {}
    async for whole in parts:
        part = whole if everything else _without_refused(whole, refused)
        if not part.changes:
            continue
        grouped = not everything and len(part.changes) >= GROUPED and _all_new(part)
        folded += grouped
        rows = [] if grouped else _rows(part.changes, everything)
        lines += 1 + len(rows)
        if lines > LISTED and not everything:
            continue
        if grouped:
            plugins = ", ".join(sorted({change.kind.partition("/")[0] for change in part.changes}))
            console.print(
                f"[green]+ {len(part.changes):>3}[/] [bold]{escape(part.subject)}[/] [dim]{escape(plugins)}[/]"
            )
            continue
        renamed = f" [dim](was {escape(part.was)})[/]" if part.was else ""
        console.print(f"[bold]{escape(part.subject)}[/]{renamed}")
        texts = await details(engine, part) if view.diff else {}
        for change, count in rows:
            _print_change(change, count, texts.get(change))
    if lines > LISTED and not everything:
        console.print("[dim]… and more; all of it with: nthlayer-sync plan --all[/]")
        for kind, counts in plan.counts.items():
            console.print(f"  {kind:<34} " + ", ".join(f"{count} {action}" for action, count in sorted(counts.items())))
    elif folded:
        console.print("[dim]New configs are counted by entity; each by its name with: nthlayer-sync plan --all[/]")
    for (root, reason), names in refused.items():
        _print_refused(root, reason, names)
    for refusal in plan.refusals:
        console.print(f"[red]refused[/] {escape(refusal.message)}; to let it pass: [bold]{escape(refusal.override)}[/]")
    console.print(_drift_summary(plan, refused) if view.drift else f"Plan {plan.id}: {summary(plan)}")


def _without_refused(part: Part, refused: dict[tuple[str, str], list[str]]) -> Part:
    """The part without what is refused, which `refused` takes, by root and reason: one cause is told once."""
    for change in part.changes:
        if change.action is Action.REFUSE:
            refused.setdefault((change.place.root, change.reason), []).append(str(part.id(change)))
    changes = tuple(change for change in part.changes if change.action is not Action.REFUSE)
    return msgspec.structs.replace(part, changes=changes)


def _print_refused(root: str, reason: str, names: list[str]) -> None:
    what = names[0] if len(names) == 1 else f"{len(names)} configs ({names[0]} …)"
    console.print(f"[red]x refuse[/]  {escape(f'{what}: {cause(reason, root)}')}")


def _rows(changes: tuple[Change, ...], everything: bool) -> list[tuple[Change, int]]:
    """The changes of one entity in order; those kept or held for one reason share a row, with their number."""
    rows: dict[tuple[str, ...], tuple[Change, int]] = {}
    for change in sorted(changes, key=lambda change: (change.kind, change.name)):
        shared = change.action in (Action.KEEP, Action.HOLD) and not everything
        key = (change.action, change.reason) if shared else (change.kind, change.name)
        first, count = rows.get(key, (change, 0))
        rows[key] = first, count + 1
    return list(rows.values())


def _print_change(change: Change, count: int, detail: Detail | None) -> None:
    sign, style = _SIGNS[change.action]
    reason = f" [dim]{escape(change.reason)}[/]" if change.reason else ""
    name = f"{change.kind}#{change.name}" if change.name else change.kind
    more = f" and {count - 1} more" if count > 1 else ""
    console.print(
        f"  [{style}]{sign} {change.action:<7}[/] {escape(name):<32} [dim]{escape(change.place.path)}{more}[/]{reason}"
    )
    if detail is not None:
        for line in _lines(change, detail):
            tint = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1], "dim")
            console.print(f"      [{tint}]{escape(line)}[/]")


def _all_new(part: Part) -> bool:
    return all(change.action is Action.CREATE and not change.reason for change in part.changes)


async def _print_markdown(engine: Engine, plan: Plan, parts: AsyncIterator[Part], diff: bool) -> None:
    print(f"### Plan `{plan.id}`\n\n{summary(plan)}\n")
    for refusal in plan.refusals:
        print(f"> **Refused:** {markdown(refusal.message)}; to let it pass: {markdown_code(refusal.override)}\n")
    if plan.counts:
        print("| | entity | config | file | |\n|---|---|---|---|---|")
    fences: list[str] = []
    async for part in parts:
        texts = await details(engine, part) if diff else {}
        for change in part.changes:
            words = [
                str(change.action), markdown(part.subject), markdown_code(change.kind),
                markdown_code(change.place.path), markdown(change.reason),
            ]  # fmt: skip
            print(f"| {' | '.join(words)} |")
            if change in texts and (lines := _lines(change, texts[change])):
                fence = "`" * max(3, *(len(line) - len(line.lstrip("+- `")) + 1 for line in lines if "```" in line), 3)
                title = f"{markdown(part.subject)} {markdown(change.kind)}"
                fences.append(
                    f"<details><summary>{title}</summary>\n\n{fence}diff\n"
                    + "\n".join(lines)
                    + f"\n{fence}\n\n</details>"
                )
    print("\n" + "\n".join(fences) if fences else "")


def summary(plan: Plan) -> str:
    """The plan in one sentence."""
    words = {
        Action.CREATE: "to create",
        Action.UPDATE: "to update",
        Action.DELETE: "to delete",
        Action.ADOPT: "to remember",
        Action.KEEP: "kept as people left them",
        Action.HOLD: "held",
        Action.WAIT: "waiting",
        Action.REFUSE: "refused",
    }
    counts = [f"{plan.total(action)} {text}" for action, text in words.items() if plan.total(action)]
    return ", ".join(counts) + "." if counts else f"nothing to do for {plan.subjects} subjects."


def _drift_summary(plan: Plan, refused: Mapping[tuple[str, str], Sequence[str]]) -> str:
    kept, unseen = plan.total(Action.KEEP), sum(map(len, refused.values()))
    if unseen:
        return f"{counted(kept, 'config')} changed by hand, {unseen} could not be looked at."
    return f"{counted(kept, 'config')} changed by hand." if kept else "No drift."


def _lines(change: Change, detail: Detail) -> list[str]:
    """The difference that matters to the reader, with both sides named.

    What is kept as people left it is shown as what they did to it; everything else as what we are about to do.
    """
    if detail.trouble:
        return [f"({detail.trouble})"]
    live = (detail.before or "").splitlines()
    wanted = (detail.after or "").splitlines() if change.digest else []
    sides = ((live, "live"), (wanted, "wanted"))
    (old, from_), (new, to) = reversed(sides) if change.action is Action.KEEP else sides
    ahead = [f" {line}" for line in detail.outlook.splitlines()]
    return [*difflib.unified_diff(old, new, from_, to, lineterm="", n=2), *ahead]
