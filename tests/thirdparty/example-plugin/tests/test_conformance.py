"""The plugin keeps what nthlayer-sync asks of every plugin."""

from pathlib import Path

from nthlayer_example import Plugin

from nthlayer_sync.sdk.conformance import PluginConformance


class TestPlugin(PluginConformance):
    """The suite, on this plugin."""

    plugin = Plugin
    cases = Path(__file__).parent / "cases"
