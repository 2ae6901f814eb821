"""Settings of plugins: a stand-in is reached with the ones that it gives, and `read_only` lets nothing be written."""

from typing import Any

import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sandbox import Sandbox
from nthlayer_sync.sandbox.vendors import TOOLS
from nthlayer_sync.sdk.discover import folder_plugins
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.plugin import LiveSettings, OperationalPlugin
from nthlayer_sync.sdk.rest import RestPlugin
from nthlayer_sync.sdk.runtime import Runtime
from tests.plugins.live import referred

PLUGINS = {plugin.name: plugin for plugin in folder_plugins()}
ELSEWHERE = "http://127.0.0.1:9"
LIVE: dict[str, Any] = {
    "alertmanager": {"mimir": {"url": ELSEWHERE, "slack_api_url": "env:SLACK"}},
    "aws": {"accounts": [{"id": "123456789012", "region": "eu-west-1"}]},
    "database": {"databases": [{"resource": "resource:default/db", "dsn": "env:DSN"}]},
    "kubernetes": {"cluster": {"url": ELSEWHERE, "token": "env:TOKEN"}},
    "prometheus": {"mimir": {"url": ELSEWHERE}},
    "techdocs": {"publish": {"type": "local", "directory": "/srv/techdocs"}},
}


def connected(name: str, settings: dict[str, Any], web: Web | None = None) -> OperationalPlugin:
    plugin = PLUGINS[name]
    return plugin(plugin.settings_type.model_validate(settings), Runtime(files=None, web=web or Web()))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", TOOLS)
async def test_a_stand_in_is_reached_with_the_settings_that_it_gives(name: str) -> None:
    web = Web()
    async with Sandbox([name]) as sandbox:
        plugin = connected(name, referred(sandbox.tools[name].settings()), web)
        assert plugin.live is not None
        await plugin.live.moved(name, "")
        await plugin.live.revisions(name, None)
        await web.close()


@pytest.mark.parametrize(
    "name",
    [n for n, p in PLUGINS.items() if issubclass(p.settings_type, LiveSettings) and not issubclass(p, RestPlugin)],
)
async def test_nothing_is_written_where_the_settings_only_look(name: str) -> None:
    """Before anything is asked; REST has it request by request (`test_http_failures`)."""
    target = connected(name, LIVE[name] | {"read_only": True}).live
    assert target is not None
    with pytest.raises(PermanentError, match=f"{name}: only reading is allowed here"):
        await target.write([], "key")
