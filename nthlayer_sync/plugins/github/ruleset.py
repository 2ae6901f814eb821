"""github/ruleset: what it takes to change a repository's default branch.

A ruleset binds whole branches, so only a service that has its repository for itself gets one. Its name is all the room
there is for our mark. https://docs.github.com/rest/repos/rules
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.github.account import rulesets
from nthlayer_sync.plugins.github.repository import repository_of
from nthlayer_sync.plugins.github.workflow import proposal_checks
from nthlayer_sync.rollout.policy import rollout_of
from nthlayer_sync.sdk.rest import Account, Json, RestKind
from nthlayer_sync.sdk.rest.paging import dig

_DEFAULT_BRANCH = "~DEFAULT_BRANCH"
_KEPT = ("deletion", "non_fast_forward")
"""The branch is neither deleted nor written anew: what was deployed stays known."""
_REVIEW = {
    "dismiss_stale_reviews_on_push": False,
    "require_last_push_approval": False,
    "required_review_thread_resolution": False,
}
"""What GitHub wants to be told of a review beside what we ask for; what people chose of it stays."""
_OURS = (*_KEPT, "pull_request", "required_status_checks")


class RulesetSpec(Spec, frozen=True):
    """The rules of one branch: `reviewers` must approve, owners by CODEOWNERS among them, and `checks` must pass."""

    repository: str
    name: str
    enforcement: str
    branches: tuple[str, ...]
    rules: tuple[str, ...]
    reviewers: int
    owners: bool
    checks: tuple[str, ...]


def generate(service: Service, organisation: str = "", within: tuple[str, ...] = ()) -> Iterator[RulesetSpec]:
    """One for every service that is delivered from a repository of its own."""
    repository, rollout = repository_of(service, organisation, within), rollout_of(service)
    if not repository or rollout is None or not rollout.alone:
        return
    reviewers = service.blueprint.access.reviewers
    yield RulesetSpec(
        repository=repository,
        name=rollout.slug.lower(),
        enforcement="active",
        branches=(_DEFAULT_BRANCH,),
        rules=_KEPT,
        reviewers=reviewers,
        owners=reviewers > 0,
        checks=tuple(sorted(proposal_checks(rollout))),
    )


def encode(spec: RulesetSpec, account: Account, live: Json | None) -> Json:
    """As GitHub wants it; rules of other types, exceptions and the finer points of ours are people's."""
    held: list[Json] = (live or {}).get("rules") or []
    others = [rule for rule in held if rule["type"] not in _OURS]
    return {
        "parent": spec.repository,
        "name": spec.name,
        "target": "branch",
        "enforcement": spec.enforcement,
        "conditions": {"ref_name": {"include": list(spec.branches), "exclude": []}},
        "rules": [*({"type": rule} for rule in spec.rules), *_reviews(spec, held), *_checks(spec, held), *others],
    }


def decode(body: Json, account: Account) -> Json:
    """As the spec says it."""
    rules: list[Json] = body["rules"]
    review, checks = _parameters(rules, "pull_request"), _parameters(rules, "required_status_checks")
    include: list[str] = dig(body, "conditions.ref_name.include") or []
    exclude: list[str] = dig(body, "conditions.ref_name.exclude") or []
    return {
        "repository": body["parent"],
        "name": body["name"].lower(),
        "enforcement": body["enforcement"],
        "branches": [*include, *(f"not {name}" for name in exclude)],
        "rules": sorted(rule["type"] for rule in rules if rule["type"] in _KEPT),
        "reviewers": review.get("required_approving_review_count", 0),
        "owners": bool(review.get("require_code_owner_review")),
        "checks": sorted(check["context"] for check in checks.get("required_status_checks", ())),
    }


def _reviews(spec: RulesetSpec, held: list[Json]) -> Iterator[Json]:
    if spec.reviewers:
        ours = {"required_approving_review_count": spec.reviewers, "require_code_owner_review": spec.owners}
        yield {"type": "pull_request", "parameters": {**_REVIEW, **_parameters(held, "pull_request"), **ours}}


def _checks(spec: RulesetSpec, held: list[Json]) -> Iterator[Json]:
    if spec.checks:
        live = _parameters(held, "required_status_checks")
        known = {check["context"]: check for check in live.get("required_status_checks", ())}
        ours = {"required_status_checks": [known.get(name, {"context": name}) for name in spec.checks]}
        strict = {"strict_required_status_checks_policy": False}
        yield {"type": "required_status_checks", "parameters": {**strict, **live, **ours}}


def _parameters(rules: list[Json], type: str) -> Json:
    none: Json = {}
    return next((rule.get("parameters") or none for rule in rules if rule["type"] == type), none)


RULESET = RestKind(
    name="github/ruleset",
    version=1,
    summary="rules of the default branch: reviews, checks, no rewriting",
    subject=Service,
    spec=RulesetSpec,
    generate=generate,
    collection=rulesets(),
    key=lambda service, spec: f"{spec.repository}/{spec.name}",
    encode=encode,
    decode=decode,
)


def ruleset_of(organisation: str, within: tuple[str, ...]) -> RestKind[Service, RulesetSpec]:
    """The kind in one organisation."""
    return replace(RULESET, collection=rulesets(organisation, within))
