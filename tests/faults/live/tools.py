"""Every plugin that lands in a tool of the sandbox, by its name, and what its settings need beside the address."""

import math
from collections.abc import Mapping
from typing import Any

import msgspec

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.sandbox.vendors import TOOLS
from nthlayer_sync.sdk.discover import folder_plugins
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.sdk.rest import RestPlugin

ELSEWHERE = {"kubernetes"}
"""What is tried against real software, or is no REST tool."""
BESIDE: Mapping[str, Mapping[str, Any]] = {
    "confluence": {"space": "OPE"},
    "datadog": {"backstage": "https://backstage.example.com"},
    "grafana": {"backstage": "https://backstage.example.com"},
    "jira": {"projects": ["PAY", "OPS"]},
    "slack": {"backstage": "https://backstage.example.com"},
}
ASKS = load_tiers(
    None,
    {"documentation": {"wiki": True}, "communication": {"channels": ["team", "incidents"], "user_group": True}},
)
"""An organisation that asks for everything that is not made unasked."""


def live_plugins() -> dict[str, type[OperationalPlugin]]:
    """By name, as fast as they may."""
    found = {each.name: each for each in folder_plugins() if each.name in TOOLS and each.name not in ELSEWHERE}
    return {name: _at_pace(each) for name, each in found.items()}


def _at_pace(plugin: type[OperationalPlugin]) -> type[OperationalPlugin]:
    if not issubclass(plugin, RestPlugin):
        return plugin
    manners = msgspec.structs.replace(plugin.manners, rate=math.inf, pause=0.001, rest=0.05, longest_wait=1.0)
    return type(plugin.__name__, (plugin,), {"manners": manners})
