"""jira/project: where a team's tickets are, for organisations that let projects be made."""

from __future__ import annotations

from collections.abc import Iterator

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Team
from nthlayer_sync.plugins.jira.account import PROJECTS
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label

LONGEST_NAME = 80
"""Characters of a project's name, as Jira has it."""


class ProjectSpec(Spec, frozen=True):
    """One project."""

    key: str
    name: str
    description: str


def generate(team: Team, create: bool = False) -> Iterator[ProjectSpec]:
    """One for every team whose blueprint names a project, where the settings let it be made."""
    key = team.blueprint.communication.tickets
    if key and create:
        who = quote.line(team.contact.label)[:LONGEST_NAME].strip() or label(team)
        yield ProjectSpec(key, who, f"Tickets of {who}.")


def encode(spec: ProjectSpec, account: Account, live: Json | None) -> Json:
    """As Jira wants it; the kind of project is chosen once."""
    body = {"name": spec.name, "description": spec.description}
    return body if live else {**body, "key": spec.key, "projectTypeKey": "software"}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {"key": body["key"], "name": body["name"], "description": body.get("description") or ""}


PROJECT = RestKind(
    name="jira/project",
    version=1,
    summary="projects for tickets, where the settings let them be made",
    subject=Team,
    spec=ProjectSpec,
    generate=generate,
    deletable=False,
    collection=PROJECTS,
    key=lambda team, spec: spec.key,
    encode=encode,
    decode=decode,
)
