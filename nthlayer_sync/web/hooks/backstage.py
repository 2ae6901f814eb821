"""Backstage: our module for its backend tells which entities changed.

It signs as Standard Webhooks say, and sends `{"entityRefs": ["component:default/shop", …]}`. Which they are does not
matter: the catalog is read as it is now, so that what is told twice, late or not at all does no harm.
"""

from __future__ import annotations

from typing import Annotated

import msgspec

from nthlayer_sync.sdk.work import Topic
from nthlayer_sync.web.hooks.hook import Asks, Delivery, Hook
from nthlayer_sync.web.hooks.landscape import Landscape
from nthlayer_sync.web.hooks.schemes import Standard


class _Changed(msgspec.Struct):
    refs: Annotated[list[str], msgspec.Meta(min_length=1)] = msgspec.field(name="entityRefs")


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    delivery.read(_Changed)
    return Asks({Topic.LOOK: landscape.of_type("backstage")})


HOOK = Hook("backstage", Standard(), _asks)
