"""Results written back to the catalog, where Backstage and its plugins show them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

import msgspec
from pydantic import Field

from nthlayer_sync.model.config import Config
from nthlayer_sync.model.service import Subject
from nthlayer_sync.plugins.backstage.annotations import ANNOTATIONS, SHOWN_BY, AnnotationsSpec
from nthlayer_sync.sdk.kind import Category, Kind
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings


class BackstageSettings(PluginSettings):
    """What an organisation may set for the catalog."""

    shown: tuple[Literal["github", "grafana", "prometheus", "techdocs"], ...] = Field(
        default=("github", "grafana", "prometheus", "techdocs"),
        description=(
            "The plugins of your Backstage to write annotations for. Leave out those that it does not have, "
            "and techdocs where the pages land in the central repository."
        ),
    )


class Plugin(OperationalPlugin):
    """Annotations and links of catalog entities."""

    name = "backstage"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "results as annotations and links in the catalog"
    kinds = (ANNOTATIONS,)
    settings_type = BackstageSettings

    def generate(self, kind: Kind[Any, Any], subject: Subject) -> Iterator[Config]:
        """The config of an entity, without what nobody would show."""
        assert isinstance(self.settings, BackstageSettings)
        hidden = frozenset(SHOWN_BY) - frozenset(self.settings.shown)
        for config in super().generate(kind, subject):
            if hidden:
                assert isinstance(config.spec, AnnotationsSpec)
                spec = config.spec.without(hidden)
                config = msgspec.structs.replace(config, spec=spec, digest=kind.digest(spec))
            yield config
