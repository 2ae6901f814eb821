"""jira/component: what a ticket about a service is filed under."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.jira.account import COMPONENTS, PROJECTS
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.rest import Account, Json, RestKind, label


class ComponentSpec(Spec, frozen=True):
    """One component. `project` is the project's key."""

    project: str
    name: str
    description: str


def generate(service: Service, projects: tuple[str, ...] = ()) -> Iterator[ComponentSpec]:
    """One for every service whose blueprint names a project; PermanentError when that is none of `projects`."""
    project = service.blueprint.communication.tickets
    if not project or not service.runs:
        return
    if project not in projects:
        raise PermanentError(
            f"communication.tickets: {project} is not among the projects that the settings of plugin jira name"
        )
    owner = quote.line(service.owner.label)[:200] if service.owner else "nobody known"
    yield ComponentSpec(
        project=project,
        name=label(service),
        description=f"Owned by {owner}. Its tickets bear the label {ticket_label(service)}.",
    )


def ticket_label(service: Service) -> str:
    """The label by which tickets about a service are found in all projects; Jira takes no spaces in it."""
    return f"service-{quote.slug(label(service))}"


def encode(spec: ComponentSpec, account: Account, live: Json | None) -> Json:
    """As Jira wants it; PermanentError where there is no such project."""
    account.id("projects", spec.project)
    return {"project": spec.project, "name": spec.name, "description": spec.description}


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    return {"project": body["project"], "name": body["name"], "description": body.get("description") or ""}


COMPONENT = RestKind(
    name="jira/component",
    version=1,
    summary="what tickets about a service are filed under",
    subject=Service,
    spec=ComponentSpec,
    generate=generate,
    requires=("jira/project",),
    collection=COMPONENTS,
    key=lambda service, spec: f"{spec.project}/{spec.name}",
    encode=encode,
    decode=decode,
    needs=(PROJECTS,),
)


def component_in(projects: tuple[str, ...]) -> RestKind[Service, ComponentSpec]:
    """The kind in these projects."""
    return replace(COMPONENT, collection=replace(COMPONENTS, projects=projects))
