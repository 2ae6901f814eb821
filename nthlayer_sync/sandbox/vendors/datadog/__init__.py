"""Datadog, API v1 and v2: SLOs, monitors, service definitions, synthetic tests, log pipelines and indexes.

Rules are those of https://docs.datadoghq.com/api/latest: two keys in headers, errors are `{"errors": [...]}`, tags are
stored in lower case, monitors get a full set of options, a service definition is put in place under its name.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nthlayer_sync.sandbox.tool import Reply, Tool
from nthlayer_sync.sandbox.vendors.datadog.logs import LogIndexes, LogPipelines
from nthlayer_sync.sandbox.vendors.datadog.monitors import Monitors
from nthlayer_sync.sandbox.vendors.datadog.services import Entities, ServiceDefinitions, SyntheticTests
from nthlayer_sync.sandbox.vendors.datadog.slos import Slos


class Datadog(Tool):
    """The stand-in of https://api.datadoghq.com."""

    name = "datadog"
    host = "https://api.datadoghq.com"
    token = "sandbox-datadog"  # noqa: S105 - it opens nothing but the sandbox
    application_key = "sandbox-datadog-application"

    def serve(self) -> None:
        """Make the collections and routes."""
        Monitors(self)
        Slos(self)
        ServiceDefinitions(self)
        Entities(self)
        SyntheticTests(self)
        LogPipelines(self)
        LogIndexes(self)
        self.route("GET", "/api/v1/validate", lambda call: Reply(200, {"valid": True}))

    def authorised(self, headers: Mapping[str, str]) -> bool:
        """An API key and an application key."""
        keys = headers.get("DD-API-KEY"), headers.get("DD-APPLICATION-KEY")
        return keys == (self.token, self.application_key)

    def unauthorised(self) -> Reply:
        """403, whichever key is wrong."""
        return self.refused(403, "Forbidden")

    def refused(self, status: int, *messages: str) -> Reply:
        """A list of messages."""
        return Reply(status, {"errors": list(messages)})

    def limited(self, wait: int) -> Reply:
        """With the rate limit's own headers (https://docs.datadoghq.com/api/latest/rate-limits)."""
        reply = super().limited(wait)
        reply.headers |= {"X-RateLimit-Limit": str(int(self.rate)), "X-RateLimit-Remaining": "0"}
        reply.headers |= {"X-RateLimit-Reset": str(wait), "X-RateLimit-Period": "1"}
        return reply

    def is_write(self, method: str, path: str) -> bool:
        """Searches are sent as POST."""
        return super().is_write(method, path) and not path.endswith(("/search", "/validate"))

    def settings(self) -> dict[str, Any]:
        """With both keys."""
        return {"url": self.url, "api_key": self.token, "application_key": self.application_key}
