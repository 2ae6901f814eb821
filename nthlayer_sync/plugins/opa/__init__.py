"""Open Policy Agent: policies that pipelines hold changes to."""

from pydantic import Field

from nthlayer_sync.plugins.opa.taxonomy import TAXONOMY
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.runtime import Runtime


class OpaSettings(PluginSettings):
    """Settings of the plugin."""

    environments: tuple[str, ...] = Field(
        default=("development", "production", "staging"),
        min_length=1,
        description="Values that the tag `environment` may have.",
    )


class Plugin(OperationalPlugin):
    """Rego policies and their tests."""

    name = "opa"
    version = "1"
    category = Category.COST
    summary = "Rego policies that pipelines hold changes to"
    kinds = (TAXONOMY,)
    settings_type = OpaSettings

    def __init__(self, settings: OpaSettings, runtime: Runtime | None = None) -> None:
        """The settings' environments go into the policy."""
        super().__init__(settings, runtime)
        self.bind(TAXONOMY, environments=settings.environments)
