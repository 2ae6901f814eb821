"""github/environment: who must agree before a job deploys to it, and from which branch; the workflow names it.

An environment has no room for a mark: what we made is known by its id. It is never deleted, because people keep secrets
in it. https://docs.github.com/rest/deployments/environments
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.github.account import environments, people, teams
from nthlayer_sync.plugins.github.repository import repository_of
from nthlayer_sync.rollout.policy import branch_of, rollout_of
from nthlayer_sync.sdk.rest import Account, Json, RestKind
from nthlayer_sync.sdk.rest.paging import dig


class EnvironmentSpec(Spec, frozen=True):
    """An environment of a repository.

    `reviewers` are handles, of teams with the organisation; one of them must agree. With `others` it must not be who
    started the job. `branches` may deploy, every branch where none is named.
    """

    repository: str
    name: str
    reviewers: tuple[str, ...]
    others: bool
    branches: tuple[str, ...]


def generate(service: Service, organisation: str = "", within: tuple[str, ...] = ()) -> Iterator[EnvironmentSpec]:
    """One for every service that is delivered; none where nobody could agree, or nothing would be asked."""
    repository, rollout = repository_of(service, organisation, within), rollout_of(service)
    if not repository or rollout is None:
        return
    approvals, branch = rollout.policy.approvals, branch_of(service)
    handle = service.owner.handle.lower() if service.owner else ""
    if (approvals and not handle) or not (approvals or branch):
        return
    yield EnvironmentSpec(
        repository=repository,
        name=rollout.environment.lower(),
        reviewers=(handle,) if approvals else (),
        others=approvals > 1,
        branches=(branch,) if branch else (),
    )


def encode(spec: EnvironmentSpec, account: Account, live: Json | None) -> Json:
    """As GitHub wants it; how long it waits is people's."""
    policy = {"protected_branches": False, "custom_branch_policies": True}
    return {
        "parent": spec.repository,
        "name": spec.name,
        "wait_timer": _rule(live or {}, "wait_timer").get("wait_timer", 0),
        "prevent_self_review": spec.others,
        "reviewers": [_reviewer(handle, account) for handle in spec.reviewers] or None,
        "deployment_branch_policy": policy if spec.branches else None,
        "branches": list(spec.branches),
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it; a policy of GitHub's own is told by its name."""
    review = _rule(body, "required_reviewers")
    protected = dig(body, "deployment_branch_policy.protected_branches")
    organisation = body["parent"].partition("/")[0]
    return {
        "repository": body["parent"],
        "name": body["name"].lower(),
        "reviewers": sorted(_handle(each, organisation) for each in review.get("reviewers", ())),
        "others": bool(review.get("prevent_self_review")),
        "branches": ["protected branches"] if protected else body["branches"],
    }


def _rule(body: Json, type: str) -> Json:
    rules: list[Json] = body.get("protection_rules") or []
    none: Json = {}
    return next((rule for rule in rules if rule["type"] == type), none)


def _reviewer(handle: str, account: Account) -> Json:
    is_team = "/" in handle
    id = account.id("teams" if is_team else "people", handle)
    return {"type": "Team" if is_team else "User", "id": int(id)}


def _handle(reviewer: Json, organisation: str) -> str:
    who: Json = reviewer["reviewer"]
    return (f"{organisation}/{who['slug']}" if reviewer["type"] == "Team" else str(who["login"])).lower()


ENVIRONMENT = RestKind(
    name="github/environment",
    version=1,
    summary="who must agree to a deployment, and from which branch it comes",
    subject=Service,
    spec=EnvironmentSpec,
    generate=generate,
    deletable=False,
    collection=environments(),
    key=lambda service, spec: f"{spec.repository}/{spec.name}",
    encode=encode,
    decode=decode,
    needs=(teams(), people()),
)


def environment_of(organisation: str, within: tuple[str, ...]) -> RestKind[Service, EnvironmentSpec]:
    """The kind in one organisation."""
    needs = (teams(organisation), people(organisation))
    return replace(ENVIRONMENT, collection=environments(organisation, within), needs=needs)
