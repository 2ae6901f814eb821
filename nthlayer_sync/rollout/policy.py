"""The policy of a service's pipeline: what must pass, who must agree, when, and in which steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.blueprint import Blueprint
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, EntityRef, ref_parts
from nthlayer_sync.model.service import Hours, Service, per_blueprint
from nthlayer_sync.rollout.commands import build_of

PRODUCTION = "production"

# Annotations of Backstage's plugins for GitHub Actions and GitLab.
_PROJECT: Mapping[str, Literal["github", "gitlab"]] = {
    "github.com/project-slug": "github",
    "gitlab.com/project-slug": "gitlab",
}
# What needs quotes neither in a shell nor in the path filters of GitHub and GitLab.
_PATH = re.compile(r"(?!.*\.\.)[\w@./-]*")
_NAME = re.compile(r"[\w.-]+")
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """The part of a blueprint that decides pipelines."""

    tier: str
    checks: tuple[str, ...]
    """What must pass before a service is deployed."""
    approvals: int
    """How many people must agree."""
    window: Hours | None
    """When it may be deployed; None: always."""
    strategy: str
    steps: tuple[int, ...]
    """Share of traffic on the new version at each step, in percent; the last is 100."""
    bake: int
    """How long each step is watched, in seconds."""
    rollback: bool
    """Whether a failing version is taken back without asking."""

    @property
    def watched(self) -> int:
        """Minutes that a whole delivery is watched for."""
        return -(-self.bake * len(self.steps) // 60)

    @property
    def stepping(self) -> dict[str, str]:
        """What the script `deliver` is told, beside the commands."""
        return {"STEPS": " ".join(map(str, self.steps)), "BAKE_SECONDS": str(self.bake)}


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides the pipeline of one service, whichever vendor runs it."""

    slug: str
    """Names files, jobs and locks; no two services have the same."""
    service: str
    namespace: str
    folder: str
    """Where its code is in the repository, "" for the top."""
    alone: bool
    """Whether it has the repository for itself."""
    build: str
    """What it is built with: a row of the table of commands."""
    policy: Policy

    @property
    def environment(self) -> str:
        """What is deployed to. Services that share a repository have one each, because they differ in approvals.

        GitLab allows no `@` in the name of an environment.
        """
        return PRODUCTION if self.alone else f"{PRODUCTION}/{self.slug.replace('@', '/')}"

    @property
    def variables(self) -> dict[str, str]:
        """What every command is told."""
        policy = self.policy
        return {
            "SERVICE": self.service,
            "NAMESPACE": self.namespace,
            "TIER": policy.tier,
            "STRATEGY": policy.strategy,
        }


@per_blueprint
def policy_of(blueprint: Blueprint) -> Policy:
    """What the blueprint asks of a pipeline. Only a canary has more than one step."""
    deployment = blueprint.deployment
    window = deployment.windows
    hours = Hours(window.name, window.days, window.opens, window.closes, window.timezone)
    return Policy(
        tier=blueprint.tier,
        checks=deployment.checks,
        approvals=deployment.approvals,
        window=None if hours.always else hours,
        strategy=deployment.strategy,
        steps=deployment.canary_percent if deployment.strategy == "canary" else (100,),
        bake=-(-deployment.bake.milliseconds // 1000),
        rollback=deployment.rollback,
    )


def rollout_of(service: Service) -> Rollout | None:
    """The policy for a service, None when nothing of it runs; PermanentError when its folder cannot stand in one."""
    if not service.runs:
        return None
    own, facts = service.own, service.facts
    folder = _code_folder(service)
    return Rollout(
        slug=slug_of(service.ref),
        service=service.name,
        namespace=service.namespace,
        folder=folder and _checked(service.ref, "folder", folder, _PATH),
        alone=own is None or not own.folder,
        build=build_of(facts.manifests if facts else ()),
        policy=policy_of(service),
    )


def slug_of(ref: EntityRef) -> str:
    """A file name for a service: its own, with its namespace where that is not the default, as `search@shop`.

    No name in Backstage has an `@`, so no two references give the same.
    """
    parts = ref_parts(ref)
    name = _checked(ref, "name", parts.name, _NAME)
    if parts.namespace == DEFAULT_NAMESPACE:
        return name
    return f"{name}@{_checked(ref, 'namespace', parts.namespace, _NAME)}"


def branch_of(service: Service) -> str:
    """The branch that is delivered, "" when it is not known."""
    facts = service.facts
    return _checked(service.ref, "default branch", facts.default_branch, _PATH) if facts else ""


def hosted_on(service: Service) -> Literal["github", "gitlab", ""]:
    """Which code host evidently keeps the service's repository; "" when nothing shows."""
    for annotation, host in _PROJECT.items():
        if annotation in service.annotations:
            return host
    address = service.own.root.rpartition("://")[2].partition("/")[0] if service.own else ""
    machine = address.rpartition("@")[2].partition(":")[0]
    return "github" if "github" in machine else "gitlab" if "gitlab" in machine else ""


def window_variables(window: Hours) -> dict[str, str]:
    """What the script `window` is told: days as 1 (Monday) to 7, minutes after midnight."""
    return {
        "WINDOW": window.name,
        "WINDOW_DAYS": " ".join(str(_DAYS.index(day) + 1) for day in sorted(window.days, key=_DAYS.index)),
        "WINDOW_OPENS": str(window.opens),
        "WINDOW_CLOSES": str(window.closes),
        "WINDOW_ZONE": window.timezone,
    }


def _code_folder(service: Service) -> str:
    """The folder of the catalog file; a home may lie deeper, in a folder that only our own files are in."""
    own, entity = service.own, service.entity
    if own and entity and entity.root == own.root:
        return entity.folder
    return own.folder if own else ""


def _checked(ref: EntityRef, what: str, text: str, allowed: re.Pattern[str]) -> str:
    if not allowed.fullmatch(text) or text.startswith("-"):
        allowed_here = "letters, digits and . _ / @ -, with no two dots in a row"
        raise PermanentError(f"{ref}: its {what} {text!r} cannot stand in a pipeline; allowed: {allowed_here}")
    return text
