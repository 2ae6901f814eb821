"""The three places where sites are published, each with a door that counts and can be shut."""

import importlib
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

from nthlayer_sync.plugins.techdocs import Plugin
from nthlayer_sync.sdk.http import Web
from nthlayer_sync.sdk.runtime import Runtime
from tests.plugins.hand import Hand
from tests.plugins.techdocs.google import BUCKET, Google, google
from tests.sdk.web import QuickClock, served

Shut = Callable[[str], bool]
"""Whether a write to this key is refused."""


@dataclass
class Place:
    """One place: `read` is all that lies there by key, `put` what somebody else puts there."""

    settings: dict[str, Any]
    read: Callable[[], Mapping[str, bytes]]
    put: Callable[[str, bytes], None]
    web: Web
    writes: list[str] = field(default_factory=list)
    """Keys that were written or deleted so far; a folder does not tell."""
    shut: Shut = lambda key: False

    def hand(self, instance: str = "default", **settings: Any) -> Hand:
        """A plugin that publishes there."""
        runtime = Runtime(None, instance=instance, web=self.web)  # type: ignore[arg-type]
        plugin = Plugin(Plugin.settings_type.model_validate({"publish": self.settings, **settings}), runtime)
        assert plugin.live is not None
        return Hand(plugin, plugin.live)


@asynccontextmanager
async def in_folder(folder: Path) -> AsyncIterator[Place]:
    """A folder of this machine."""

    def read() -> Mapping[str, bytes]:
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}

    def put(key: str, data: bytes) -> None:
        (folder / key).parent.mkdir(parents=True, exist_ok=True)
        (folder / key).write_bytes(data)

    yield Place({"type": "local", "directory": str(folder)}, read, put, Web())


@asynccontextmanager
async def in_google(folder: Path) -> AsyncIterator[Place]:
    """The stand-in for Google Cloud Storage, with a service account."""
    async with google() as stand_in:
        web_ = Web(QuickClock())
        top = "sites/"
        settings = {
            "type": "gcs",
            "bucket": BUCKET,
            "prefix": "sites",
            "key_file": str(stand_in.key_file(folder)),
            "endpoint": stand_in.url,
        }
        place = Place(settings, lambda: _below(top, stand_in), lambda key, data: _into(stand_in, top + key, data), web_)
        stand_in.fail_write = lambda key: _noted(place, key.removeprefix(top))
        yield place
        await web_.close()


def _below(top: str, stand_in: Google) -> Mapping[str, bytes]:
    assert all(name.startswith(top) for name in stand_in.objects)
    return {name.removeprefix(top): data for name, (_, data) in stand_in.objects.items()}


def _into(stand_in: Google, name: str, data: bytes) -> None:
    stand_in.objects[name] = "application/octet-stream", data


def _noted(place: Place, key: str) -> bool:
    place.writes.append(key)
    return place.shut(key)


@asynccontextmanager
async def in_s3(moto: str) -> AsyncIterator[Place]:
    """A bucket of moto, behind a proxy; keys have to be in the environment."""
    top = "sites/"
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        async with session.post(f"{moto}/moto-api/reset"):
            pass
        client = importlib.import_module("boto3").client("s3", region_name="eu-west-1", endpoint_url=moto)
        client.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})

        async def handle(request: web.Request) -> web.StreamResponse:
            key = request.path.removeprefix(f"/{BUCKET}/{top}")
            if request.method in ("PUT", "DELETE", "POST") and _noted(place, key):
                text = "<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
                return web.Response(status=403, text=text, content_type="application/xml")
            headers = {k: v for k, v in request.headers.items() if k.lower() not in ("host", "content-length")}
            body = await request.read()
            url = moto + request.raw_path
            async with session.request(request.method, url, data=body or None, headers=headers) as got:
                kept = {k: v for k, v in got.headers.items() if k.lower() in ("etag", "content-type", "last-modified")}
                return web.Response(body=await got.read(), status=got.status, headers=kept)

        def read() -> Mapping[str, bytes]:
            rows = [
                row
                for page in client.get_paginator("list_objects_v2").paginate(Bucket=BUCKET)
                for row in page.get("Contents", ())
            ]
            return {
                row["Key"].removeprefix(top): client.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read()
                for row in rows
            }

        def put(key: str, data: bytes) -> None:
            client.put_object(Bucket=BUCKET, Key=top + key, Body=data)

        async with served(handle) as url:
            settings = {"type": "s3", "bucket": BUCKET, "region": "eu-west-1", "prefix": "sites", "endpoint": url}
            place = Place(settings, read, put, Web())
            yield place
