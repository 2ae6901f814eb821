"""outlook: who of a team is called when in the next weeks, as it is after an apply."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from nthlayer_sync.engine.run import Engine
from nthlayer_sync.engine.show import foreseen
from nthlayer_sync.model.service import Team
from nthlayer_sync.oncall.duty import Unstaffed, duty_of
from nthlayer_sync.oncall.rota import outlook, specs_of, writing


class Outlook(msgspec.Struct, frozen=True):
    """The turns of a team's schedules in text, one text for each schedule: its name, then a line for each turn."""

    schedules: tuple[str, ...] = ()
    connected: bool = False
    """Whether a tool for on-call said so; otherwise it is the rotation of the blueprint as it would begin."""
    note: str = ""
    """Why it is not what was asked for, or why there is none."""


async def outlook_of(engine: Engine, team: Team, weeks: int) -> Outlook:
    """The outlook of a team. PermanentError when somebody has to be called and there is nobody."""
    duty = duty_of(team)
    if isinstance(duty, Unstaffed):
        return Outlook(note=f"{team.ref} has no rotation: {duty.reason}")
    configs = engine.generator.generate(team).configs
    found = [text for config in configs if (text := await foreseen(engine.generator, config, weeks))]
    return Outlook(tuple(found or _unconnected(team, weeks)), bool(found), duty.note)


def _unconnected(team: Team, weeks: int) -> list[str]:
    """The rotation as it would begin."""
    now = datetime.now(UTC)
    specs = list(specs_of(team, team.contact.name))
    return [outlook(spec, writing(spec, None, None, now), (), now, weeks) for spec in specs]
