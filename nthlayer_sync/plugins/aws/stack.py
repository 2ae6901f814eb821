"""What all parts of a service's stack have in common: the account it is in, names and tags."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.entity import AWS_ACCOUNT
from nthlayer_sync.model.ref import EntityRef, ref_parts
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.aws.settings import AccountSettings, AwsSettings
from nthlayer_sync.plugins.aws.tags import checked_tags

_PLAIN = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")


def account_of(service: Service, settings: AwsSettings | None) -> AccountSettings | None:
    """The account that the service's annotation names, if the settings know it; a service without one is not in AWS."""
    named = service.annotations.get(AWS_ACCOUNT)
    accounts = settings.accounts if settings and named else ()
    return next((account for account in accounts if account.id == named), None)


@lru_cache(maxsize=100_000)
def stack_name(ref: EntityRef) -> str:
    """The name of the stack of a component: letters, digits and hyphens, never that of another component.

    https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_CreateStack.html
    """
    _, namespace, name = ref_parts(ref)
    if namespace == "default" and _PLAIN.fullmatch(name):
        return f"nthlayer-{name}"
    cleaned = re.sub(r"[^a-z0-9]+", "-", f"{namespace}-{name}").strip("-")[:100]
    return f"nthlayer-{cleaned}--{blake2b(ref.encode(), digest_size=4).hexdigest()}"


def short_name(ref: EntityRef) -> str:
    """The name of the stack without what all have in common, to begin the names of resources with."""
    return stack_name(ref).removeprefix("nthlayer-")


def camel(words: str) -> str:
    """`session-key` as the end of a logical id, which has letters and digits only: `SessionKey`."""
    return "".join(word.capitalize() for word in words.split("-"))


def tags_for(service: Service, settings: AwsSettings | None) -> dict[str, str]:
    """The taxonomy's tags; PermanentError when AWS refuses one."""
    return checked_tags(service, settings.environment if settings else "production")


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """Tags as most resources take them."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def output(value: Any, description: str, export: str = "") -> dict[str, Any]:
    """An output of the stack, with the name under which other stacks may import it."""
    made = {"Value": value, "Description": description}
    return {**made, "Export": {"Name": export}} if export else made


def safe(service: Service, what: str, text: str, allowed: str) -> str:
    """`text` when it keeps to the pattern `allowed`; PermanentError otherwise."""
    if not re.fullmatch(allowed, text):
        raise PermanentError(f"{service.ref}: {what} cannot be {text[:200]!r} in AWS")
    return text
