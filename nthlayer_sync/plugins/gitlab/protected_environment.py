"""gitlab/protected_environment: who may deploy to an environment, and how many must agree; the pipeline names it.

A protected environment has no room for a mark: what we made is known by its project and name.
https://docs.gitlab.com/api/protected_environments
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.gitlab.account import groups, protected_environments
from nthlayer_sync.rollout.policy import hosted_on, rollout_of
from nthlayer_sync.sdk.rest import Account, Json, RestKind

_PROJECT = re.compile(r"[a-z0-9_][a-z0-9_.-]*(/[a-z0-9_][a-z0-9_.-]*)+")
_MAINTAINERS = 40
"""GitLab's number for the role (docs.gitlab.com/api/access_requests)."""
_ROLES = {0: "nobody", 30: "developers", _MAINTAINERS: "maintainers", 60: "administrators"}


class ProtectedEnvironmentSpec(Spec, frozen=True):
    """An environment of a project: groups by path, roles by name that may deploy, and approvals by who gives them."""

    project: str
    name: str
    deployers: tuple[str, ...]
    approvals: dict[str, int]


def generate(service: Service, group: str = "", within: tuple[str, ...] = ()) -> Iterator[ProtectedEnvironmentSpec]:
    """One for every service whose deployments somebody must approve; its owner does, and maintainers may deploy too."""
    rollout = rollout_of(service)
    project = service.own.slug.lower() if service.own else ""
    inside = bool(group and _PROJECT.fullmatch(project)) and any(fnmatchcase(project, pattern) for pattern in within)
    if rollout is None or not inside or hosted_on(service) == "github":
        return
    owner = service.owner.handle.lower() if service.owner else ""
    if rollout.policy.approvals and "/" in owner:
        yield ProtectedEnvironmentSpec(
            project=project,
            name=rollout.environment,
            deployers=tuple(sorted((owner, _ROLES[_MAINTAINERS]))),
            approvals={owner: rollout.policy.approvals},
        )


def encode(spec: ProtectedEnvironmentSpec, account: Account, live: Json | None) -> Json:
    """As GitLab wants it: what is there keeps its entry, what goes is destroyed, what is new has no id yet."""
    deployers: dict[str, Json] = {who: {} for who in spec.deployers}
    approvals = {who: {"required_approvals": count} for who, count in spec.approvals.items()}
    return {
        "parent": spec.project,
        "name": spec.name,
        "deploy_access_levels": _entries(deployers, (live or {}).get("deploy_access_levels", ()), account),
        "approval_rules": _entries(approvals, (live or {}).get("approval_rules", ()), account),
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; people are told by their id."""
    return {
        "project": body["parent"],
        "name": body["name"],
        "deployers": sorted(_who(each, account) for each in body["deploy_access_levels"]),
        "approvals": {_who(each, account): each["required_approvals"] for each in body.get("approval_rules") or ()},
    }


def _entries(wanted: Mapping[str, Json], live: Iterable[Json], account: Account) -> list[Json]:
    held = {_who(entry, account): entry["id"] for entry in live}
    kept = [{**more, "id": held[who]} for who, more in wanted.items() if who in held]
    new = [{**more, **_named(who, account)} for who, more in wanted.items() if who not in held]
    gone = [{"id": id, "_destroy": True} for who, id in held.items() if who not in wanted]
    return [*kept, *new, *gone]


def _named(who: str, account: Account) -> Json:
    role = next((number for number, name in _ROLES.items() if name == who), None)
    return {"group_id": int(account.id("groups", who))} if role is None else {"access_level": role}


def _who(entry: Json, account: Account) -> str:
    if entry.get("user_id"):
        return f"user {entry['user_id']}"
    if entry.get("group_id"):
        return account.key("groups", str(entry["group_id"]))
    return _ROLES.get(entry["access_level"], f"role {entry['access_level']}")


PROTECTED_ENVIRONMENT = RestKind(
    name="gitlab/protected_environment",
    version=1,
    summary="who may deploy, and how many must agree",
    subject=Service,
    spec=ProtectedEnvironmentSpec,
    generate=generate,
    collection=protected_environments(),
    key=lambda service, spec: f"{spec.project}/{spec.name}".lower(),
    encode=encode,
    decode=decode,
    needs=(groups(),),
)


def protected_environment_of(group: str, within: tuple[str, ...]) -> RestKind[Service, ProtectedEnvironmentSpec]:
    """The kind below one group."""
    return replace(PROTECTED_ENVIRONMENT, collection=protected_environments(group, within), needs=(groups(group),))
