"""AWS: what its resources bear."""

from pydantic import Field

from nthlayer_sync.plugins.aws.tags import TAGS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.target import Target


class AwsSettings(PluginSettings):
    """Settings of the plugin."""

    environment: str = Field(default="production", description="Value of the tag `environment`.")


class Plugin(OperationalPlugin):
    """Files that AWS, or Terraform on its behalf, reads."""

    name = "aws"
    version = "1"
    category = Category.COST
    summary = "tags of AWS resources"
    kinds = (TAGS,)
    settings_type = AwsSettings

    def __init__(self, settings: AwsSettings, files: Target) -> None:
        """The settings' environment goes into every tag document."""
        super().__init__(settings, files)
        self.bind(TAGS, environment=settings.environment)
