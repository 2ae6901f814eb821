"""The pages of a service, as files that TechDocs builds."""

from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs import Plugin
from nthlayer_sync.sdk.testing import service_from
from tests.plugins.aws.server import HAS_MOTO, REASON, moto_server
from tests.plugins.techdocs.shelves import Place, in_folder, in_google, in_s3

CASE = Path(__file__).parent / "runbook" / "tier1" / "when.yaml"


@pytest.fixture
def words() -> dict[str, Any]:
    """A service with everything that pages tell about."""
    return yaml.safe_load(CASE.read_text())


def plugin() -> Plugin:
    return Plugin(Plugin.settings_type())


def write_site(service: Service, folder: Path) -> Path:
    """Write all pages of `service` into `folder`, on top of what stands there."""
    made = plugin()
    for config in made.generate_configs(service):
        kind = made.kind(config.id.kind)
        path = folder / config.place.path
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_bytes().decode() if path.exists() else None
        path.write_bytes(kind.owns(config.id).write(before, kind.content(config.spec)).encode())
    return folder


@pytest.fixture(scope="session")
def write_site_of() -> Callable[[Service, Path], Path]:
    """Writes the site of a service into a folder."""
    return write_site


@pytest.fixture
def site(words: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Writes the site of the service, with some of its words changed."""

    def make(**changed: Any) -> Path:
        return write_site(service_from(words | changed), tmp_path)

    return make


@pytest.fixture(scope="session")
def moto() -> Iterator[str]:
    """AWS."""
    if not HAS_MOTO:
        pytest.skip(REASON)
    with moto_server() as url:
        yield url


@pytest.fixture
async def google_place(tmp_path: Path) -> AsyncIterator[Place]:
    """Google Cloud Storage."""
    async with in_google(tmp_path) as place:
        yield place


@pytest.fixture
async def folder_place(tmp_path: Path) -> AsyncIterator[Place]:
    """A folder."""
    (tmp_path / "published").mkdir()
    async with in_folder(tmp_path / "published") as place:
        yield place


@pytest.fixture(params=["local", "s3", "gcs"])
async def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Place]:
    """Each of the three places."""
    if request.param == "local":
        (tmp_path / "published").mkdir()
        async with in_folder(tmp_path / "published") as made:
            yield made
    elif request.param == "s3":
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            monkeypatch.setenv(name, "testing")
        monkeypatch.delenv("AWS_PROFILE", raising=False)
        async with in_s3(request.getfixturevalue("moto")) as made:
            yield made
    else:
        async with in_google(tmp_path) as made:
            yield made
