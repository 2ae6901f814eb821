"""The configuration in Mimir, which keeps it as one text and lets it name no files: secrets are put in on the way.

https://grafana.com/docs/mimir/latest/references/http-api/#alertmanager
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk.http import at
from nthlayer_sync.sdk.mimir import Mimir
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.secrets import Secrets
from nthlayer_sync.sdk.texts import Change
from nthlayer_sync.yaml.emit import dump, inline

PATH = "config/alertmanager"
_AT = at("api", "v1", "alerts")
# Every setting that can hold a secret: https://prometheus.io/docs/alerting/latest/configuration/
_SECRET = re.compile(
    r"^(?P<key>[ \t]*(?:- )?[\"']?(?P<name>[a-z_]*(?:password|secret|token|key|credentials|url))"
    r"[\"']?[ \t]*:)(?P<value>.*(?:\n[ \t]+(?![ \t]*[\w\"'-]+:).*)*)",
    re.MULTILINE,
)


class Inserted:
    """Secrets by the name of their setting; in what is planned and shown, the setting names a file instead."""

    def __init__(self, refs: Mapping[str, str], files: Mapping[str, str], secrets: Secrets) -> None:
        self._refs = refs
        self._files = files
        self._secrets = secrets

    async def put_in(self, text: str) -> str:
        """The text with each file replaced by the secret itself."""
        for name, ref in self._refs.items():
            line = f"{name}: {inline(await self._secrets.value(ref))}"
            text = re.sub(
                rf"^([ \t]*){name}_file:.*$", lambda found, line=line: found[1] + line, text, flags=re.MULTILINE
            )
        return text

    def take_out(self, text: str) -> str:
        """The text as it was before; whatever else looks like a secret is not shown."""
        return _SECRET.sub(self._shown, text)

    def _shown(self, found: re.Match[str]) -> str:
        name = found["name"]
        if name in self._refs:
            return found["key"].replace(name, f"{name}_file") + f" {inline(self._files[name])}"
        return f"{found['key']} [removed]"


class Configuration:
    """The one configuration of a tenant."""

    def __init__(self, mimir: Mimir, inserted: Inserted) -> None:
        self._mimir = mimir
        self._inserted = inserted

    async def everything(self) -> Mapping[str, str]:
        """The configuration, if there is one."""
        text = (await self._mimir.get(_AT)).get("alertmanager_config") or ""
        return {PATH: self._inserted.take_out(text)} if text else {}

    async def read(self, paths: Collection[str]) -> Mapping[str, str]:
        """The same."""
        return {path: text for path, text in (await self.everything()).items() if path in paths}

    def ours(self, path: str, text: str) -> bool:
        """It bears our mark."""
        return MARK in text

    async def change(self, changes: Sequence[Change]) -> list[Failure | None]:
        """Mimir checks it and takes it, or does not."""
        results: list[Failure | None] = []
        for change in changes:
            try:
                await self._set(change[PATH])
            except Failure as error:
                results.append(error)
            else:
                results.append(None)
        return results

    async def _set(self, text: str | None) -> None:
        if text is None:
            await self._mimir.delete(_AT)
            return
        templates: Any = (await self._mimir.get(_AT)).get("template_files") or {}  # of people: they are kept
        whole: dict[str, Any] = {"template_files": templates, "alertmanager_config": await self._inserted.put_in(text)}
        await self._mimir.post(_AT, dump(whole))
