"""The search for what a blueprint has to say for one config to be as it is live; see `promote`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import msgspec

from nthlayer_sync.blueprint.check import fields_at
from nthlayer_sync.engine.distance import distance, is_prose
from nthlayer_sync.engine.nudge import Leaves, Seen, fresh, nudges, proposals
from nthlayer_sync.engine.trial import Keys, Said, Step, Trial
from nthlayer_sync.engine.why import EXISTS, leaves, why
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.sdk.kind import FileKind

_TRIED = 30
"""Values tried of one input."""
_WORDS = 12
"""Words tried of those that a refusal says are allowed."""

TEXT = "(text)"
"""The path under which it says that a content differs in more than its values."""


class Edit(msgspec.Struct, frozen=True):
    """The managed part of a config as it is live, None where it was removed, and the path of its file or object."""

    content: str | None
    path: str


class Unsaid(msgspec.Struct, frozen=True):
    """One leaf of the live content that no blueprint says ("" where it was taken out), and why."""

    path: str
    live: str
    reason: str


class _Option(NamedTuple):
    """A value that an input may have."""

    step: Step
    value: object


class _Tried(NamedTuple):
    """A change of the blueprint, as a file says it and in short, and how far from live each leaf is with it."""

    keys: Keys
    value: object
    short: str
    far: dict[str, int]


class Search:
    """The search for what gives one live config; `exact` are those that were found before, and have to stay."""

    def __init__(self, trial: Trial, id: ConfigId, edit: Edit, exact: Mapping[ConfigId, str | None]) -> None:
        self.trial = trial
        self.id = id
        self.content = edit.content
        self.path = edit.path if isinstance(trial.generator.kinds[id.kind], FileKind) else ".json"
        self.exact = exact
        self.kinds = {id.kind, *(each.kind for each in exact)}
        self.parsed: dict[str, Leaves] = {}
        self.refused: dict[str, str] = {}
        """What the blueprint has against the first value that was tried of an input and cannot stand."""
        self.base: Leaves = self._leaves(trial.contents({}, {id.kind}))
        self.live: Leaves = self._parse(edit.content)
        if self.base == self.live:  # what was edited is in the comments, which may tell of values too
            self.path, self.parsed = "", {}
            self.base = self._leaves(trial.contents({}, {id.kind}))
            self.live = self._parse(edit.content)

    def run(self, said: dict[Keys, Any]) -> list[Unsaid]:
        """Add to `said` what brings the config nearest to what is live; gives what is left."""
        far = self._far(self.trial.contents(said, self.kinds))
        options = [*self._options()] if far else []
        before, unsure = dict(said), ""
        while far and (changes := self._better(options, said, far)):
            if len(changes) > 1:
                unsure = " and ".join(sorted(".".join(keys) for keys, _ in changes))
                break
            ((keys, value),) = changes
            said[keys] = value
            far = self._far(self.trial.contents(said, self.kinds))
        if far:
            far = self._sift(said, before)
            return self._unsaid(far, unsure, self._widely(options, said, far))
        now = self.trial.contents(said, {self.id.kind}) or {}
        if now.get(self.id) == self.content:
            return []
        return [Unsaid(TEXT, "", "its values are said, but its comments, order or layout were changed as well")]

    def _sift(self, said: dict[Keys, Any], before: Said) -> dict[str, int]:
        """Take back what moves anything to where it is not live: only all of it together may come nearer in part."""
        for keys in [keys for keys, value in said.items() if before.get(keys, said) != value]:
            rest = {other: value for other, value in said.items() if other != keys}
            if keys in before:
                rest[keys] = before[keys]
            contents = self.trial.contents(rest, self.kinds)
            if contents is not None and not self._fits(self._leaves(contents), said):
                said.clear()
                said.update(rest)
        return self._far(self.trial.contents(said, self.kinds))

    def _fits(self, without: Leaves, said: Said) -> bool:
        """Whether all that a value moves is then as it is live, sentences that follow aside."""
        now = self._leaves(self.trial.contents(said, self.kinds))
        moved = {path for path in now.keys() | without.keys() if now.get(path) != without.get(path)}
        wrong = {path: 1 for path in moved if now.get(path) != self.live.get(path)}
        return len(wrong) < len(moved) and self._follows(wrong, {})

    def _options(self) -> Iterator[_Option]:
        """Every value worth a trial, by input."""
        for step, value in self.trial.inputs():
            keys = tuple(part for part in step if isinstance(part, str))
            if isinstance(value, dict):
                if not fields_at(Blueprint, keys):
                    yield from self._entries(step, cast("Mapping[str, Any]", value))
                continue
            if (seen := self._seen(step, value)) or value == []:
                tried = [msgspec.json.encode(value)]
                for proposed in proposals(value, self.base, self.live, seen):
                    if (text := msgspec.json.encode(proposed)) not in tried and len(tried) <= _TRIED:
                        tried.append(text)
                        yield _Option(step, proposed)

    def _entries(self, step: Step, value: Mapping[str, Any]) -> Iterator[_Option]:
        """Entries that may have come into or gone out of a map with keys of people's own."""
        for path, text in [*fresh(self.base, self.live).items()][:_TRIED]:
            parts = path.split(".")
            yield from (
                _Option((*step, ".".join(parts[at:])), text) for at in range(max(0, len(parts) - 3), len(parts))
            )
        if self.base.keys() - self.live.keys():
            yield from (_Option((*step, key), None) for key in value)

    def _seen(self, step: Step, value: object) -> list[Seen]:
        """What other values of an input do to the config, where they move anything that was edited."""
        far = distance(self.base, self.live)
        seen: list[Seen] = []
        others = [*nudges(value)]
        for other in others:
            keys, said = self.trial.say(step, other, {})
            resolved = self.trial.resolve({keys: said})
            if resolved.blueprint is None:
                allowed = [word for found in resolved.diagnoses for word in found.allowed][:_WORDS]
                if isinstance(value, str) and len(others) <= _WORDS:
                    others += [word for word in allowed if word != value and word not in others]
                continue
            contents = self.trial.contents({keys: said}, {self.id.kind})
            if contents is None:
                continue
            found = self._leaves(contents)
            if any(found.get(path) != self.base.get(path) for path in far):
                seen.append(Seen(other, found))
        return seen

    def _better(self, options: list[_Option], said: Said, far: Mapping[str, int]) -> list[tuple[Keys, object]]:
        """The change that brings the config nearer; several where they do the same, here and elsewhere."""
        tried = [*self._tried(options, said)]
        nearer = [one for one in tried if all(count <= far.get(path, 0) for path, count in one.far.items())]
        if not (found := sorted((one for one in nearer if one.far != far), key=lambda one: sum(one.far.values()))):
            # Somebody changed a threshold and left the sentence that names it: what was not edited follows.
            found = [one for one in tried if far.keys() - one.far.keys() and self._follows(one.far, far)]
            found.sort(key=lambda one: (len(far.keys() & one.far.keys()), len(one.far)))
        if self.content is None:  # it is there or it is not
            found = [one for one in found if not one.far]
        rivals = {one.keys: one for one in reversed(found) if one.far == found[0].far}
        if len(rivals) < 2:
            return [(keys, one.value) for keys, one in rivals.items()]
        was = self.trial.contents(said) or {}
        effects: dict[Keys, int] = {}
        for keys, one in rivals.items():
            now = self.trial.contents({**said, keys: one.value}) or {}
            effects[keys] = sum(was.get(id) != now.get(id) for id in was.keys() | now.keys())
        return [(keys, rivals[keys].value) for keys, count in effects.items() if count == min(effects.values())]

    def _tried(self, options: list[_Option], said: Said) -> Iterator[_Tried]:
        """What each option comes to; of an input that gives all of it no more is tried."""
        done: set[Step] = set()
        for step, value in options:
            if step in done:
                continue
            keys, whole = self.trial.say(step, value, said)
            contents = self.trial.contents({**said, keys: whole}, self.kinds)
            if contents is None:
                self._note(".".join(keys), value, self.trial.resolve({**said, keys: whole}).diagnoses)
                continue
            if all(contents.get(id) == content for id, content in self.exact.items()):
                far = self._far(contents)
                if not far:
                    done.add(step)
                yield _Tried(keys, whole, _short(step, value), far)

    def _note(self, name: str, value: object, wrong: Sequence[Diagnosis]) -> None:
        """Remember why a value cannot stand, unless that is only how it is written."""
        if wrong and (isinstance(value, int | float) or wrong[0].field != name):
            self.refused.setdefault(name, wrong[0].message)

    def _follows(self, now: Mapping[str, int], far: Mapping[str, int]) -> bool:
        """Whether what is farther from what is live than before are sentences alone, which people left as they were."""
        return all(
            count <= far[path] if path in far else text == self.base.get(path) and is_prose(text)
            for path, count in now.items()
            for text in [self.live.get(path, "")]
        )

    def _widely(self, options: list[_Option], said: Said, far: Mapping[str, int]) -> dict[str, str]:
        """For each leaf that a value does give, but with others that nobody edited: what that would be."""
        found: dict[str, tuple[int, str]] = {}
        for one in self._tried(options, said):
            others = sorted(one.far.keys() - far.keys())
            for path in far.keys() - one.far.keys() if others else ():
                text = f"{one.short} gives this, but also changes {_few(others)}"
                found[path] = min(found.get(path, (len(others), text)), (len(others), text))
        return {path: text for path, (_, text) in found.items()}

    def _unsaid(self, far: Mapping[str, int], unsure: str, widely: Mapping[str, str]) -> list[Unsaid]:
        """What is left, each with the reason."""
        trial = self.trial
        if self.content is None:
            return [Unsaid(EXISTS, "", "it was removed, and nothing in its blueprint says that it should not be there")]
        try:
            known = why(trial.service, self.id.kind, trial.generator, trial.tiers, trial.resolve({}).origins)
        except PermanentError:
            known = {}
        reasons = {each.path: each.reasons for each in known.get(self.id, ())}
        found: list[Unsaid] = []
        for path in sorted(far):
            inputs = reasons.get(path, ())
            if self.live.get(path) == self.base.get(path):
                reason = "it follows from what is said now; people left it as it was"
            elif unsure:
                reason = f"{unsure} would both do: change one of them yourself"
            elif path not in self.base:
                reason = "the kind generates nothing there"
            elif annotated := [each for each in inputs if each.origin.startswith("annotation ")]:
                reason = f"the {annotated[0].origin} goes before the blueprint file: change it there"
            elif path in widely:
                reason = widely[path]
            elif refused := [self.refused[each.input] for each in inputs if each.input in self.refused]:
                reason = refused[0]
            elif entity := [each for each in inputs if each.input.startswith("entity ")]:
                reason = f"it comes from the catalog, from {entity[0].origin}, and not from the blueprint"
            elif inputs:
                named = ", ".join(f"{each.input} = {each.value} ({each.origin})" for each in inputs[:3])
                reason = f"no value of what it depends on gives this: {named}"
            else:
                reason = "the kind itself fixes it"
            found.append(Unsaid(path, self.live.get(path, ""), reason))
        return found

    def _far(self, contents: Mapping[ConfigId, str] | None) -> dict[str, int]:
        return distance(self._leaves(contents), self.live)

    def _leaves(self, contents: Mapping[ConfigId, str] | None) -> Leaves:
        return self._parse((contents or {}).get(self.id))

    def _parse(self, content: str | None) -> Leaves:
        if content is None:
            return {}
        if content not in self.parsed:
            self.parsed[content] = {EXISTS: "yes", **leaves(content, self.path)}
        return self.parsed[content]


def _short(step: Step, value: object) -> str:
    name = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in step).lstrip(".")
    text = f"{name} = {msgspec.json.encode(value).decode()}"
    return text if len(text) <= 120 else f"{text[:117]}..."


def _few(paths: list[str]) -> str:
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
