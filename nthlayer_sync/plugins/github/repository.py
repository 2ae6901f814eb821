"""Which repository of the organisation a service's live configs stand in."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

from nthlayer_sync.model.service import Service
from nthlayer_sync.rollout.policy import hosted_on

_SLUG = re.compile(r"[a-z0-9-]{1,39}/[a-z0-9._-]{1,100}")


def repository_of(service: Service, organisation: str, within: tuple[str, ...]) -> str:
    """`organisation/name` in lower case; "" where it is another organisation's, or `within` has no pattern for it."""
    slug = service.own.slug.lower() if service.own else ""
    if not organisation or hosted_on(service) == "gitlab" or slug.partition("/")[0] != organisation.lower():
        return ""
    return slug if _SLUG.fullmatch(slug) and any(fnmatchcase(slug, pattern) for pattern in within) else ""
