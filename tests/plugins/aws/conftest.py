"""moto as AWS."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.plugins.aws.server import HAS_MOTO, REASON, Aws, moto_server, serve


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    if not HAS_MOTO:
        pytest.skip(REASON)
    with moto_server() as url:
        yield url


@pytest.fixture
async def aws(moto: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Aws]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    async for served in serve(moto):
        yield served
