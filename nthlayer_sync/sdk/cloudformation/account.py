"""The way to CloudFormation in one account and region, over aiobotocore.

Credentials come the way AWS's own tools find them: environment, shared files, web identity, container, instance. With
`role` that identity assumes another one first.
https://docs.aws.amazon.com/sdkref/latest/guide/standardized-credentials.html
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError

if TYPE_CHECKING:
    from types_aiobotocore_cloudformation import CloudFormationClient

ATTEMPTS = 8
"""How often a request is sent; `adaptive` slows all requests of a client down while AWS throttles it."""
CONNECT_SECONDS = 10
READ_SECONDS = 60

_TEMPORARY = frozenset(
    (
        "InternalError", "InternalFailure", "InternalServerError", "OperationInProgressException", "RequestExpired",
        "RequestLimitExceeded", "RequestTimeout", "ServiceUnavailable", "SlowDown", "Throttling", "ThrottlingException",
        "TooManyRequestsException",
    )
)  # fmt: skip


@dataclass(frozen=True)
class Account:
    """One account and region. `id` is the account's number; nothing is written when the credentials belong to another.

    `drift_seconds` is how old AWS's last look for drift in a stack may be before it is asked to look again; None: it
    is never asked. `endpoint` stands in for AWS's own addresses.
    """

    id: str
    region: str
    role: str = ""
    drift_seconds: float | None = 3600.0
    endpoint: str | None = None

    def url(self, stack_id: str) -> str:
        """Where a person looks at a stack."""
        top = f"https://{self.region}.console.aws.amazon.com/cloudformation/home?region={self.region}"
        return f"{top}#/stacks/stackinfo?stackId={stack_id}"

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[CloudFormationClient]:
        """A client; what goes wrong with AWS while it is open comes out as TemporaryError or PermanentError."""
        own, as_role = await asyncio.to_thread(lambda: self._sessions)  # half a second of imports
        with in_our_words():
            if self.role:
                await self._take_role(own, as_role)
            else:
                await self._check_account(own)
            session = as_role if self.role else own
            async with session.create_client("cloudformation", **self._how()) as client:
                yield client

    @cached_property
    def _sessions(self) -> tuple[Any, Any]:
        """Two sessions of aiobotocore, which keep credentials: the program's own, and those of `role`."""
        return _new_session(), _new_session()

    async def _check_account(self, own: Any) -> None:
        async with own.create_client("sts", **self._how()) as sts:
            found = (await sts.get_caller_identity())["Account"]
        if found != self.id:
            raise PermanentError(f"the AWS credentials belong to account {found}, not to {self.id}")

    async def _take_role(self, own: Any, as_role: Any) -> None:
        """Have `as_role` sign with credentials of the role, which it gets anew before they expire."""
        from aiobotocore.credentials import AioRefreshableCredentials

        if f":{self.id}:" not in self.role:
            raise PermanentError(f"the role {self.role} belongs to another account than {self.id}")

        async def assume() -> dict[str, str]:
            async with own.create_client("sts", **self._how()) as sts:
                given = (await sts.assume_role(RoleArn=self.role, RoleSessionName="nthlayer-sync"))["Credentials"]
            return {
                "access_key": given["AccessKeyId"],
                "secret_key": given["SecretAccessKey"],
                "token": given["SessionToken"],
                "expiry_time": given["Expiration"].isoformat(),
            }

        if as_role._credentials is None:  # botocore has no public way to give a session these
            known: Any = AioRefreshableCredentials
            as_role._credentials = known.create_from_metadata(await assume(), assume, "sts-assume-role")

    def _how(self) -> dict[str, Any]:
        from aiobotocore.config import AioConfig

        config = AioConfig(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "adaptive", "total_max_attempts": ATTEMPTS},
            user_agent_extra="nthlayer-sync",
        )
        return {"region_name": self.region, "endpoint_url": self.endpoint, "config": config}


@contextmanager
def in_our_words() -> Generator[None]:
    """Errors of AWS come out as TemporaryError or PermanentError."""
    try:
        yield
    except Failure:
        raise
    except Exception as error:
        raise _failure(error) from error


def is_missing(error: Exception) -> bool:
    """Whether AWS says that there is no such stack or change set."""
    said: dict[str, str] = getattr(error, "response", {}).get("Error", {})
    code, text = said.get("Code", ""), said.get("Message", "")
    return code.startswith("ChangeSetNotFound") or (code == "ValidationError" and "does not exist" in text)


def _failure(error: Exception) -> Failure:
    """What an error of botocore means for us; anything else is a bug and raised as it is."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        answer: Any = error.response
        code, text = answer.get("Error", {}).get("Code", ""), answer.get("Error", {}).get("Message", "")
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        temporary = code in _TEMPORARY or status >= 500 or status == 429
        return (TemporaryError if temporary else PermanentError)(f"AWS: {code}: {text}"[:2000])
    missing = (exceptions.NoCredentialsError, exceptions.PartialCredentialsError, exceptions.NoRegionError)
    if isinstance(error, missing):
        return PermanentError(f"AWS: {error}")
    if isinstance(error, exceptions.BotoCoreError | exceptions.HTTPClientError | OSError | TimeoutError):
        return TemporaryError(f"AWS cannot be reached: {error}"[:2000])
    if error.__class__.__module__.startswith("botocore."):  # such as an answer that is no XML
        return TemporaryError(f"AWS answered what cannot be read: {error.__class__.__name__}")
    raise error


def _new_session() -> Any:
    try:
        from aiobotocore.session import get_session
    except ModuleNotFoundError as error:
        raise PermanentError("AWS needs the extra: pip install 'nthlayer-sync[aws]'") from error
    for name in ("botocore", "aiobotocore"):  # at debug level they write out answers, and so the keys of a role
        logging.getLogger(name).setLevel(logging.INFO)
    return get_session()
