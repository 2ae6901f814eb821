"""Webhooks: systems tell us that something changed, at POST /hooks/<system>.

A delivery only says "look here now": it becomes asks of the work set, and what is so is read from where it stands. What
a hook needs is its secret in `serve.webhooks`; without one its address is not there.

receiver      what happens to a delivery, from its headers to its answer
schemes       how vendors prove that a delivery is theirs
keys          the secrets as they hold now
brake         slows down who is refused
hook          what each system's file gives: how it proves itself, and what its deliveries mean
landscape     which sources and roots the settings mean by a repository
repositories  what pushes and pull requests mean
github, gitlab, backstage, cortex, pagerduty, alertmanager, deploy
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from nthlayer_sync.web.hooks import alertmanager, backstage, cortex, deploy, github, gitlab, pagerduty
from nthlayer_sync.web.hooks.brake import Brake
from nthlayer_sync.web.hooks.keys import Keys
from nthlayer_sync.web.hooks.receiver import Receiver

if TYPE_CHECKING:
    from aiohttp import web

    from nthlayer_sync.daemon.daemon import Daemon
    from nthlayer_sync.sdk.secrets import Secrets

HOOKS = {
    module.HOOK.name: module.HOOK for module in (github, gitlab, backstage, cortex, pagerduty, alertmanager, deploy)
}


def install(
    app: web.Application,
    daemon: Daemon,
    secrets: Secrets,
    *,
    clock: Callable[[], float] = time.time,
    brake: Brake | None = None,
) -> None:
    """Add the hooks to the application; `clock` gives seconds since 1970."""
    settings = daemon.settings.serve.webhooks
    on = {name: (hook, ref) for name, hook in HOOKS.items() if (ref := getattr(settings, name))}
    receiver = Receiver(daemon.settings, daemon.store, on, Keys(secrets), daemon.metrics, brake or Brake(), clock)
    app.router.add_post("/hooks/{system}", receiver.receive)
