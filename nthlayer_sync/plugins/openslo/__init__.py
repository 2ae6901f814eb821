"""OpenSLO: objectives in the notation that many vendors read."""

from nthlayer_sync.plugins.openslo.slo import SLO
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin


class Plugin(OperationalPlugin):
    """OpenSLO v1 documents."""

    name = "openslo"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "objectives as OpenSLO documents"
    kinds = (SLO,)
