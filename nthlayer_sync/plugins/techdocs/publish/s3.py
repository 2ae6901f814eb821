"""A bucket of S3 as the shelf of sites, over aiobotocore.

https://docs.aws.amazon.com/AmazonS3/latest/API/Welcome.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Collection, Mapping
from contextlib import asynccontextmanager
from hashlib import md5
from typing import Any

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.techdocs.publish.settings import S3Settings
from nthlayer_sync.plugins.techdocs.publish.shelf import LARGEST_READ, Files, content_type, site_of
from nthlayer_sync.sdk.cloudformation.account import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS, in_our_words
from nthlayer_sync.sdk.lease import check_lease


class S3:
    """The sites below one prefix of one bucket."""

    def __init__(self, settings: S3Settings) -> None:
        self._settings = settings
        self._session: Any = None

    @asynccontextmanager
    async def opened(self) -> AsyncGenerator[Files]:
        """A client with the credentials that AWS's own tools would find."""
        if self._session is None:
            self._session = await asyncio.to_thread(_new_session)  # half a second of imports
        from aiobotocore.config import AioConfig

        how = AioConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
            user_agent_extra="nthlayer-sync",
            max_pool_connections=32,
            s3={"addressing_style": "path"} if self._settings.endpoint else None,
        )
        place = {"region_name": self._settings.region, "endpoint_url": self._settings.endpoint or None}
        with in_our_words():
            async with self._session.create_client("s3", config=how, **place) as client:
                yield _Bucket(client, self._settings)


class _Bucket:
    """The files of the bucket while a client is open. The tag of a file is its ETag, the MD5 unless a key of KMS
    encrypts the bucket: then everything is sent anew with each change.
    """

    def __init__(self, client: Any, settings: S3Settings) -> None:
        self._client = client
        self._bucket = settings.bucket
        self._top = f"{settings.prefix}/" if settings.prefix else ""

    async def sites(self) -> Collection[str]:
        """S3 has no search, so everything is listed, a thousand files a request."""
        return {site for key, _ in await self._rows("") if (site := site_of(key))}

    async def tags(self, site: str) -> Mapping[str, str]:
        """The ETag of each file."""
        return {key.removeprefix(f"{site}/"): tag for key, tag in await self._rows(f"{site}/")}

    async def get(self, key: str) -> bytes | None:
        """The content of a file."""
        with in_our_words():
            try:
                answer = await self._client.get_object(Bucket=self._bucket, Key=self._top + key)
            except self._client.exceptions.NoSuchKey:
                return None
            async with answer["Body"] as body:
                data: bytes = await body.read(LARGEST_READ + 1)
        return data if len(data) <= LARGEST_READ else None

    async def put(self, key: str, data: bytes) -> str:
        """One request: S3 shows the old content until it has all of the new."""
        check_lease()
        with in_our_words():
            answer = await self._client.put_object(
                Bucket=self._bucket, Key=self._top + key, Body=data, ContentType=content_type(key)
            )
        return answer["ETag"].strip('"')

    async def delete(self, key: str) -> None:
        """S3 does not say whether it was there."""
        check_lease()
        with in_our_words():
            await self._client.delete_object(Bucket=self._bucket, Key=self._top + key)

    def tag(self, data: bytes) -> str:
        """Its MD5."""
        return md5(data, usedforsecurity=False).hexdigest()

    async def _rows(self, prefix: str) -> list[tuple[str, str]]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._top + prefix)
        with in_our_words():
            rows = [row async for page in pages for row in page.get("Contents", ())]
        return [(row["Key"].removeprefix(self._top), row["ETag"].strip('"')) for row in rows]


def _new_session() -> Any:
    try:
        from aiobotocore.session import get_session
    except ModuleNotFoundError as error:
        raise PermanentError("S3 needs the extra: pip install 'nthlayer-sync[aws]'") from error
    for name in ("botocore", "aiobotocore"):  # at debug level they write out what they sign
        logging.getLogger(name).setLevel(logging.INFO)
    return get_session()
