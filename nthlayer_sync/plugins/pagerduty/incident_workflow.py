"""Who takes which role in an incident: a workflow that a person starts, and that tells everybody."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service, Team
from nthlayer_sync.oncall.escalation import responders_of
from nthlayer_sync.plugins.pagerduty.service import calls_people
from nthlayer_sync.plugins.pagerduty.tool import PAGES, SERVICES, USERS
from nthlayer_sync.sdk.http import Call, Tool, at
from nthlayer_sync.sdk.rest import Account, Collection, Cursor, InText, Json, RestKind, label
from nthlayer_sync.sdk.rest.paging import rows_of

_ACTION = "pagerduty.com:incident-workflows:send-status-update:1"
"""The one action that PagerDuty's API reference names; others differ from account to account."""
_STEP = "Say who takes which role"
_COMMANDER, _COMMUNICATIONS = "Incident commander: ", "Communications: "


class IncidentWorkflowSpec(Spec, frozen=True):
    """The roles in an incident of one service; people by address."""

    name: str
    description: str
    service: str
    commanders: tuple[str, ...]
    communications: tuple[str, ...]


@dataclass(frozen=True)
class Workflows(Collection):
    """Workflows, and beside each its `triggers`."""

    async def get(self, tool: Tool, id: str) -> Json | None:
        """With the triggers."""
        body = await super().get(tool, id)
        if body is None:
            return None
        call = Call(path=f"{self.path}/triggers", query=(("workflow_id", id),))
        pages = rows_of(tool, call, Cursor("next_cursor"), lambda answer: answer["triggers"])
        return body | {"triggers": [row async for row in pages]}

    async def create(self, tool: Tool, body: Json, key: str) -> Json:
        """The workflow, then what starts it."""
        made = await super().create(tool, _plain(body), key)
        await self._start(tool, self.id_of(made), body["service"])
        return made

    async def update(self, tool: Tool, live: Json, body: Json) -> Json:
        """Triggers other than the one that is wanted go."""
        made = await super().update(tool, live, _plain(body))
        wanted = [each for each in live["triggers"] if _starts(each) == body["service"]]
        for each in live["triggers"]:
            if each not in wanted[:1]:
                await tool.ask(Call(method="DELETE", path=f"{self.path}/triggers{at(each['id'])}"))
        if not wanted:
            await self._start(tool, self.id_of(live), body["service"])
        return made

    async def _start(self, tool: Tool, id: str, service: str) -> None:
        trigger = {
            "type": "workflow_trigger",
            "trigger_type": "manual",
            "workflow": {"id": id},
            "services": [{"id": service}],
            "is_subscribed_to_all_services": False,
        }
        await tool.ask(Call(method="POST", path=f"{self.path}/triggers", json={"trigger": trigger}))


WORKFLOWS = Workflows(
    "incident_workflows",
    "/incident_workflows",
    many="incident_workflows",
    one="incident_workflow",
    mark=InText(),
    paging=PAGES,
    whole=False,
    echoes=False,
)


def generate(service: Service) -> Iterator[IncidentWorkflowSpec]:
    """A service whose tier asks for a role that somebody of its owner has the training for."""
    owner = service.owner
    if owner is None or not calls_people(service):
        return
    team = Team(ref=owner.ref, contact=owner, blueprint=service.blueprint, blueprint_digest=service.blueprint_digest)
    roles = responders_of(team)
    if not (roles.commanders or roles.communications):
        return
    name = label(service)
    yield IncidentWorkflowSpec(
        name=f"{name} roles",
        description=f"Tells who takes which role in an incident of {name}. A person starts it.",
        service=name,
        commanders=roles.commanders,
        communications=roles.communications,
    )


def encode(spec: IncidentWorkflowSpec, account: Account, live: Json | None) -> Json:
    """As PagerDuty wants it; only people who have an account are named."""
    for email in (*spec.commanders, *spec.communications):
        account.id("users", email)
    roles = ((_COMMANDER, spec.commanders), (_COMMUNICATIONS, spec.communications))
    message = "\n".join(f"{role}{' or '.join(people)}" for role, people in roles if people)
    action = {"action_id": _ACTION, "inputs": [{"name": "Message", "value": message}]}
    return {
        "type": "incident_workflow",
        "name": spec.name,
        "description": spec.description,
        "steps": [{"type": "step", "name": _STEP, "action_configuration": action}],
        "service": account.id("services", spec.service),
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; steps of another sort stand where the roles would."""
    actions = [step["action_configuration"] for step in body["steps"]]
    message = "\n".join(
        value["value"] if action["action_id"] == _ACTION else action["action_id"]
        for action in actions
        for value in action["inputs"] or [{"value": ""}]
    )
    lines = message.split("\n")
    known = tuple(line for line in lines if line.startswith((_COMMANDER, _COMMUNICATIONS)))
    started = [_starts(each) for each in body["triggers"]]
    return {
        "name": body["name"],
        "description": body.get("description") or "",
        "service": account.key("services", started[0]) if len(started) == 1 else f"{len(started)} triggers",
        "commanders": _people(known, _COMMANDER) if len(known) == len(lines) else lines,
        "communications": _people(known, _COMMUNICATIONS),
    }


def _people(lines: tuple[str, ...], role: str) -> list[str]:
    return [email for line in lines if line.startswith(role) for email in line.removeprefix(role).split(" or ")]


def _starts(trigger: Json) -> str:
    """The service in whose incidents a person can start it; what it is instead, where it is anything else."""
    services = [each["id"] for each in trigger["services"]]
    plain = trigger["trigger_type"] == "manual" and len(services) == 1 and not trigger["is_subscribed_to_all_services"]
    return services[0] if plain else f"{trigger['trigger_type']} {' '.join(sorted(services))}"


def _plain(body: Json) -> Json:
    return {name: value for name, value in body.items() if name != "service"}


INCIDENT_WORKFLOW = RestKind(
    name="pagerduty/incident_workflow",
    version=1,
    summary="who takes which role in an incident",
    subject=Service,
    spec=IncidentWorkflowSpec,
    generate=generate,
    requires=("pagerduty/service",),
    collection=WORKFLOWS,
    key=lambda service, spec: spec.name,
    encode=encode,
    decode=decode,
    needs=(SERVICES, USERS),
)
