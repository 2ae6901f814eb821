"""The policy of a service's pipeline: what must pass, who must agree, when, and in which steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Literal

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, EntityRef, ref_parts
from nthlayer_sync.model.service import Hours, Service
from nthlayer_sync.rollout.commands import build_of

NOT_DELIVERED = frozenset({"library", "documentation"})
"""Types of components of which nothing runs."""

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


class Rollout(msgspec.Struct, frozen=True, kw_only=True):
    """All that decides the pipeline of one service, whichever vendor runs it."""

    slug: str
    """Names files, jobs and locks; no two services have the same."""
    service: str
    namespace: str
    tier: str
    folder: str
    """The service's folder in its repository, "" for the top."""
    build: str
    """What it is built with: a row of the table of commands."""
    checks: tuple[str, ...]
    """What must pass before it is deployed."""
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
    def environment(self) -> str:
        """What is deployed to. Services that share a repository have one each, because they differ in approvals."""
        return f"{PRODUCTION}-{self.slug}" if self.folder else PRODUCTION

    @property
    def watched(self) -> int:
        """Minutes that a whole delivery is watched for."""
        return -(-self.bake * len(self.steps) // 60)

    @property
    def variables(self) -> dict[str, str]:
        """What every command is told."""
        return {"SERVICE": self.service, "NAMESPACE": self.namespace, "TIER": self.tier, "STRATEGY": self.strategy}

    @property
    def stepping(self) -> dict[str, str]:
        """What the script `deliver` is told beside that."""
        return {"STEPS": " ".join(map(str, self.steps)), "BAKE_SECONDS": str(self.bake)}


def rollout_of(service: Service) -> Rollout | None:
    """The policy for a service, None when nothing of it runs; PermanentError when its folder cannot stand in one."""
    if service.type in NOT_DELIVERED:
        return None
    deployment, facts, own = service.blueprint.deployment, service.facts, service.own
    window = deployment.windows
    return Rollout(
        slug=slug_of(service.ref),
        service=service.name,
        namespace=service.namespace,
        tier=service.blueprint.tier,
        folder=_checked(service.ref, "folder", own.folder, _PATH) if own and own.folder else "",
        build=build_of(facts.manifests if facts else ()),
        checks=deployment.checks,
        approvals=deployment.approvals,
        window=hours(window.name, window.days, window.opens, window.closes, window.timezone),
        strategy=deployment.strategy,
        steps=deployment.canary_percent if deployment.strategy == "canary" else (100,),
        bake=-(-deployment.bake.milliseconds // 1000),
        rollback=deployment.rollback,
    )


def slug_of(ref: EntityRef) -> str:
    """A file name for a service: its own, behind its namespace where that is not the default.

    Two hyphens cannot stand in a name of Backstage, so no two references give the same.
    """
    parts = ref_parts(ref)
    text = parts.name if parts.namespace == DEFAULT_NAMESPACE else f"{parts.namespace}--{parts.name}"
    return _checked(ref, "name", text, _NAME)


def branch_of(service: Service) -> str:
    """The branch that is delivered, "" when it is not known."""
    facts = service.facts
    return _checked(service.ref, "default branch", facts.default_branch, _PATH) if facts else ""


def hosted_on(service: Service) -> Literal["github", "gitlab", ""]:
    """Which code host evidently keeps the service's repository; "" when nothing shows."""
    for annotation, host in _PROJECT.items():
        if annotation in service.annotations:
            return host
    machine = service.own.root.rpartition("://")[2].partition("/")[0] if service.own else ""
    return "github" if "github" in machine else "gitlab" if "gitlab" in machine else ""


@lru_cache(maxsize=1024)
def hours(name: str, days: tuple[str, ...], opens: int, closes: int, timezone: str) -> Hours | None:
    """A window; None for one that never closes."""
    window = Hours(name, days, opens, closes, timezone)
    return None if window.always else window


def window_variables(window: Hours) -> dict[str, str]:
    """What the script `window` is told: days as 1 (Monday) to 7, minutes after midnight."""
    return {
        "WINDOW": window.name,
        "WINDOW_DAYS": " ".join(str(_DAYS.index(day) + 1) for day in sorted(window.days, key=_DAYS.index)),
        "WINDOW_OPENS": str(window.opens),
        "WINDOW_CLOSES": str(window.closes),
        "WINDOW_ZONE": window.timezone,
    }


def _checked(ref: EntityRef, what: str, text: str, allowed: re.Pattern[str]) -> str:
    if not allowed.fullmatch(text) or text.startswith("-"):
        allowed_here = "letters, digits and . _ / @ -, with no two dots in a row"
        raise PermanentError(f"{ref}: its {what} {text!r} cannot stand in a pipeline; allowed: {allowed_here}")
    return text
