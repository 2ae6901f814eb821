"""Connections that wait by a clock of their own."""

from collections.abc import AsyncIterator

import pytest

from nthlayer_sync.sdk.http import Web
from tests.sdk.web import QuickClock


@pytest.fixture
def clock() -> QuickClock:
    return QuickClock()


@pytest.fixture
async def connections(clock: QuickClock) -> AsyncIterator[Web]:
    connections = Web(clock)
    yield connections
    await connections.close()
