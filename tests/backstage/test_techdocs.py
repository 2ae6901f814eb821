"""Backstage's own TechDocs shows the sites that the daemon publishes, from a folder and from S3."""

import importlib
from typing import Any

import pytest

from tests.backstage.town import ORGANISATION, TESTS, Town, component, until
from tests.plugins.aws.server import HAS_MOTO, REASON, moto_server

SITE = "default/component/payments"
BUCKET = "acme-techdocs"
KEYS = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing"}
pytestmark = pytest.mark.timeout(300)


def service(title: str) -> dict[str, Any]:
    """Backstage shows documentation only of what says that it has some."""
    return component("payments", title=title, annotations={"backstage.io/techdocs-ref": "dir:."})


async def page(town: Town, path: str) -> tuple[int, str]:
    """A file of the site, as Backstage gives it to the browser."""
    url = f"{town.url('backstage')}/api/techdocs/static/docs/{SITE}/{path}"
    async with town.session.get(url, headers=TESTS) as answer:
        return answer.status, await answer.text()


async def titled(town: Town, title: str) -> dict[str, Any]:
    """The metadata of the site, once it has the title."""

    async def shown() -> dict[str, Any] | None:
        metadata = await town.backstage_get(f"techdocs/metadata/techdocs/{SITE}")
        return metadata if metadata and metadata["site_name"] == title else None

    return await until(shown, f"the site is called {title}", seconds=120)


async def lives(town: Town, publish: dict[str, Any]) -> None:
    """A site is published and shown, and shown anew once it changed."""
    town.backstage.env |= {"TECHDOCS": "1", **KEYS}
    town.daemon.env |= KEYS
    town.plugins = {"techdocs": {"publish": publish}}
    town.commit({"organisation.yaml": ORGANISATION, "payments.yaml": [service("Payments")]})
    await town.start_backstage()
    await town.start_daemon()
    first = await titled(town, "Payments")
    assert first["build_timestamp"] > 1_600_000_000_000
    assert "runbook/index.html" in first["files"]
    for path, said in (("index.html", "Running Payments"), ("runbook/index.html", "First steps")):
        status, text = await page(town, path)
        assert (status, said in text) == (200, True)
    assert (await page(town, "nothing/index.html"))[0] == 404
    entity = await town.backstage_get(f"techdocs/metadata/entity/{SITE}")
    assert entity["metadata"]["title"] == "Payments"

    town.commit({"payments.yaml": [service("Payments API")]})
    await town.refresh("payments.yaml")
    second = await titled(town, "Payments API")
    assert second["etag"] != first["etag"]
    assert "Running Payments API" in (await page(town, "index.html"))[1]


async def test_from_a_folder(town: Town) -> None:
    await lives(town, {"type": "local", "directory": str(town.folder / "techdocs")})


async def test_from_s3(town: Town) -> None:
    if not HAS_MOTO:
        pytest.skip(REASON)
    with moto_server() as aws:
        keys = {"aws_access_key_id": "testing", "aws_secret_access_key": "testing"}
        client = importlib.import_module("boto3").client("s3", region_name="eu-west-1", endpoint_url=aws, **keys)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
        bucket = {
            "bucketName": BUCKET,
            "region": "eu-west-1",
            "endpoint": aws,
            "s3ForcePathStyle": True,
            "bucketRootPath": "sites",
            "credentials": {"accessKeyId": "testing", "secretAccessKey": "testing"},
        }
        town.overlay = {"techdocs": {"builder": "external", "publisher": {"type": "awsS3", "awsS3": bucket}}}
        await lives(town, {"type": "s3", "bucket": BUCKET, "region": "eu-west-1", "prefix": "sites", "endpoint": aws})
