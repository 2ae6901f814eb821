"""Secrets in AWS Secrets Manager, with the credentials that AWS gives this machine or its environment."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import msgspec

from nthlayer_sync.errors import PermanentError, TemporaryError

if TYPE_CHECKING:
    from aiobotocore.session import AioSession

TIMEOUT = 10.0
"""Seconds to make a connection in, and to wait for an answer."""
TRIES = 3
"""Requests for one secret."""
_PASSES = ("Throttling", "InternalService", "ServiceUnavailable", "RequestTimeout", "InternalFailure")
"""How the codes of errors begin that may pass."""


async def read_aws(reference: str) -> str:
    """The secret `name-or-arn`, or of a secret that is a JSON object the value at `name-or-arn#key`."""
    name, _, key = reference.partition("#")
    text = await _fetch(await _session(), name)
    if not key:
        return text
    try:
        return str(msgspec.json.decode(text, type=dict[str, str | int | float])[key])
    except msgspec.DecodeError:
        raise PermanentError("it is not a JSON object of texts, so it has no keys") from None
    except KeyError:
        raise PermanentError("the secret has no such key") from None


async def _session() -> AioSession:
    try:
        # On a thread: it reads megabytes of descriptions from disk.
        return await asyncio.to_thread(_load)
    except ImportError:
        raise PermanentError("secrets of AWS need more libraries: pip install 'nthlayer-sync[aws]'") from None


def _load() -> AioSession:
    from aiobotocore.session import get_session

    session = get_session()
    session.get_component("data_loader").load_service_model("secretsmanager", "service-2")
    return session


async def _fetch(session: AioSession, name: str) -> str:
    from aiobotocore.config import AioConfig
    from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError

    config = AioConfig(connect_timeout=TIMEOUT, read_timeout=TIMEOUT, retries={"total_max_attempts": TRIES})
    try:
        async with session.create_client(  # pyright: ignore[reportUnknownMemberType] - typed for what is used alone
            "secretsmanager", region_name=_region(name), config=config
        ) as client:
            answer = await client.get_secret_value(SecretId=name)
    except ClientError as error:
        code = error.response.get("Error", {}).get("Code", "an unknown error")
        passes = code.startswith(_PASSES)
        raise (TemporaryError if passes else PermanentError)(f"AWS answers {code}") from None
    except (ConnectionError, HTTPClientError) as error:
        raise TemporaryError(f"AWS was not reached ({type(error).__name__})") from None
    except BotoCoreError as error:
        # NoCredentialsError, NoRegionError and their like: what is missing is in the environment.
        raise PermanentError(f"AWS cannot be asked: {error}") from None
    if "SecretString" not in answer:
        raise PermanentError("it holds bytes and no text")
    return answer["SecretString"]


def _region(name: str) -> str | None:
    """The region that an ARN names; None for that of the environment."""
    parts = name.split(":")
    return parts[3] if parts[0] == "arn" and len(parts) > 3 else None
