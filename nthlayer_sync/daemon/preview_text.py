"""What merging a request changes, in Markdown for a code host; foreign text stands only in code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from nthlayer_sync.engine.fork import Shown, Supposed
from nthlayer_sync.engine.show import Detail
from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.diff import Action
from nthlayer_sync.model.plan import Change, Part
from nthlayer_sync.sdk.hosting.markup import LARGEST, block, code, diff, folded, label
from nthlayer_sync.sdk.hosting.reviews import LONGEST_SENTENCE, Request, Verdict
from nthlayer_sync.sdk.quote import line

TITLE = "### What merging this changes\n\n"
LISTED = 30
"""Rows of one list; beyond that only their number is said."""
LONGEST_LIST = 8_000
"""Characters of one list, so that all of them together leave room."""
LONGEST_ROW = 500
"""Characters of one row of a list."""
_WORDS = {
    Action.CREATE: "to create",
    Action.UPDATE: "to update",
    Action.DELETE: "to delete",
    Action.ADOPT: "to remember",
    Action.WAIT: "waiting",
    Action.KEEP: "kept as people left them",
    Action.HOLD: "held",
    Action.REFUSE: "refused",
}


def errors_of(supposed: Supposed, files: Collection[str]) -> list[Diagnosis]:
    """What has to be put right before a merge: what is wrong in these files, or only once they are merged."""
    return [
        found
        for found in supposed.diagnoses
        if found.severity is Severity.ERROR and (found.file in files or found not in supposed.before)
    ]


def verdict_of(supposed: Supposed, files: Collection[str]) -> Verdict:
    """What the check says; numbers stand in the comment, which is kept up to date more easily."""
    errors = errors_of(supposed, files)
    if errors:
        return Verdict(passed=False, sentence=sentence(str(errors[0])))
    return Verdict(passed=True, sentence="What merging this changes stands in a comment.")


def sentence(text: str) -> str:
    """A text as the sentence of a check."""
    text = line(text)
    return text if len(text) <= LONGEST_SENTENCE else f"{text[: LONGEST_SENTENCE - 1]}…"


def nothing(marker: str) -> str:
    """The comment on a request that no longer changes anything."""
    return f"{marker}\n{TITLE}Nothing any more: what the catalog shows stays as it is.\n"


def failed(marker: str, why: str) -> str:
    """The comment on a request of which nothing can be said."""
    return f"{marker}\n{TITLE}That cannot be told: {_row(why)}\n"


def text_of(marker: str, supposed: Supposed, request: Request, notes: Iterable[str], *, files: Collection[str],
            page: str) -> str:  # fmt: skip
    """The whole comment, at most `LARGEST` characters: first all that matters, then every entity there is room for.

    `notes` are sentences of ours about the request; `page` is where people find more.
    """
    head = "".join((f"{marker}\n{TITLE}{_summary(supposed)}\n\n", *_findings(supposed, files, notes)))
    foot = (
        f"---\n\nAt {code(request.head[:12])}; nothing is written before the merge. Live systems and other requests "
        f"may move until then. [More about every entity]({page}/)\n"
    )
    room = LARGEST - len(head) - len(foot) - 200
    sections: list[str] = []
    for shown in supposed.shown:
        section = _section(shown, room)
        if len(section) > room:
            break
        sections.append(section)
        room -= len(section)
    left = len(supposed.shown) - len(sections)
    rest = f"And {left:,} more entities, which there is no room for here.\n\n" if left else ""
    return head + "".join(sections) + rest + foot


def _summary(supposed: Supposed) -> str:
    plan = supposed.plan
    counts = [f"{plan.total(action):,} {words}" for action, words in _WORDS.items() if plan.total(action)]
    if not counts:
        return "Nothing: no config becomes different."
    entities = len(supposed.shown)
    said = f"**{', '.join(counts)}**, for {entities:,} {'entity' if entities == 1 else 'entities'}.\n\n"
    used = [action for action in _WORDS if plan.total(action)]
    rows = [f"| config | {' | '.join(_WORDS[action] for action in used)} |", f"|---|{'--:|' * len(used)}"]
    for kind, count in plan.counts.items():
        cells = [f"{count.get(action, 0):,}" if count.get(action, 0) else "" for action in used]
        rows.append(f"| {code(kind)} | {' | '.join(cells)} |")
    return said + "\n".join(rows)


def _findings(supposed: Supposed, files: Collection[str], notes: Iterable[str]) -> Iterator[str]:
    """Everything beside the configs themselves."""
    errors = errors_of(supposed, files)
    yield from _list("**This has to be put right first:**", [_row(str(error)) for error in errors])
    yield from _list("**Please note:**", list(notes))
    refusals = [f"{_row(r.message)}; to let it pass: {_row(r.override)}" for r in supposed.plan.refusals]
    yield from _list("**Guards would stop all of it:**", refusals)
    yield from _list("**These wait after the merge:**", _waits(supposed.shown))
    tiers = [f"{code(ref)}: {_tier(was)} → {_tier(now)}" for ref, (was, now) in sorted(supposed.tiers.items())]
    yield from _list("**Tiers:**", tiers)
    gone = "**No longer declared**; their configs are deleted once later reads prove that they are gone:"
    yield from _list(gone, [_row(ref) for ref in supposed.missing])
    warnings = [d for d in supposed.news if d.severity is not Severity.ERROR and d.code != "entity-missing"]
    yield from _list("**Also found:**", [_row(str(warning)) for warning in warnings])


def _list(title: str, rows: Sequence[str]) -> Iterator[str]:
    kept: list[str] = []
    room = LONGEST_LIST
    for row in rows[:LISTED]:
        room -= len(row)
        if room < 0:
            break
        kept.append(f"- {row}")
    if len(kept) < len(rows):
        kept.append(f"- and {len(rows) - len(kept):,} more")
    if kept:
        yield f"{title}\n\n" + "\n".join(kept) + "\n\n"


def _waits(shown: Iterable[Shown]) -> list[str]:
    """What waits, and for what: an approval, a freeze, a window, a guard."""
    reasons = Counter(c.reason for each in shown for c in each.part.changes if c.action is Action.WAIT)
    return [f"{_configs(count)} for {_row(reason)}" for reason, count in sorted(reasons.items())]


def _section(shown: Shown, room: int) -> str:
    """One entity: its changes, and as many differences as there is room for."""
    changes = shown.part.changes
    rows = [_change(change) for change in changes[:LISTED]]
    if len(changes) > LISTED:
        rows.append(f"- and {len(changes) - LISTED:,} more")
    was = f", before {code(shown.part.was)}" if shown.part.was else ""
    text = f"#### {code(shown.part.subject)}{was}\n\n" + "\n".join(rows) + "\n\n"
    for title, content in _contents(shown.part, shown.details):
        more = folded(title, content)
        if len(text) + len(more) > room:
            break
        text += more
    return text


def _change(change: Change) -> str:
    name = f"{change.kind}#{change.name}" if change.name else change.kind
    where = f" {code(change.place.path[:LONGEST_ROW])}" if change.place.path else ""
    reason = f": {_row(change.reason)}" if change.reason else ""
    return f"- {change.action} {code(name[:LONGEST_ROW])}{where}{reason}"


def _contents(part: Part, details: Mapping[Change, Detail]) -> Iterator[tuple[str, str]]:
    """What each config says before and after, and what follows from it in the next weeks."""
    for change in part.changes:
        detail = details.get(change)
        if detail is None:
            continue
        title = label(f"{change.kind}#{change.name}" if change.name else change.kind)
        if detail.trouble and detail.trouble != change.reason:
            yield f"{title}: not shown", f"{_row(detail.trouble)}\n\n"
        after = (detail.after or "") if change.digest else ""
        sides = (after, detail.before or "") if change.action is Action.KEEP else (detail.before or "", after)
        if rows := diff(*sides):
            yield title, block(rows)
        if detail.outlook:
            yield f"{title}: the next weeks", block([f" {row}" for row in detail.outlook.splitlines()], "text")


def _tier(name: str) -> str:
    return code(name) if name else "none"


def _row(text: str) -> str:
    """A text in code, cut where it has no end."""
    return code(text if len(text) <= LONGEST_ROW else f"{text[:LONGEST_ROW]}…")


def _configs(count: int) -> str:
    return f"{count:,} {'config' if count == 1 else 'configs'}"
