"""Cortex: facts about services, for its scorecards."""

from __future__ import annotations

from nthlayer_sync.plugins.cortex.custom_data import CUSTOM_DATA, MANNERS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.rest import RestPlugin


class Plugin(RestPlugin):
    """What we know about services, in another catalog."""

    name = "cortex"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "facts about services in Cortex"
    kinds = (CUSTOM_DATA,)
    url = "https://api.getcortexapp.com"
    manners = MANNERS
