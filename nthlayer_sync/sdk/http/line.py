"""One request over aiohttp: bounded, not redirected; a failure says whether the request can have been carried out."""

from __future__ import annotations

import ssl
from collections.abc import Mapping

import aiohttp
from yarl import URL

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.http.call import Answer
from nthlayer_sync.sdk.http.errors import TooLarge, Unsure
from nthlayer_sync.sdk.http.manners import Manners
from nthlayer_sync.sdk.http.text import on_one_line

LONGEST_CONNECT = 10.0
"""Seconds to make a connection in."""
LARGEST_REFUSAL = 16 << 10
"""Bytes read of an answer that says no: enough to say why."""


class Line:
    """The connections of one process, kept open between requests."""

    def __init__(self) -> None:
        # Each tool bounds its own requests, so that a slow one cannot take another's connections.
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar()
        )

    async def close(self) -> None:
        """Ends all connections."""
        await self._session.close()

    async def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | None,
        manners: Manners,
        tls: ssl.SSLContext | None = None,
    ) -> Answer:
        """What the server answers, whatever its status.

        Without a `tls` the authorities of this machine say which certificates are good.
        TemporaryError when it was not reached, Unsure when it was and the answer is lost, TooLarge when that is.
        """
        try:
            async with self._session.request(
                method,
                URL(url, encoded=True),
                data=body,
                headers=headers,
                allow_redirects=False,
                ssl=tls or True,
                timeout=_timeout(manners.timeout),
            ) as response:
                agrees = response.status < 300
                received = await _bounded(
                    response, manners.largest_answer if agrees else LARGEST_REFUSAL, cut=not agrees
                )
                return Answer(response.status, response.headers, received)
        except aiohttp.InvalidURL:
            raise PermanentError("the address of the request is not one") from None
        except aiohttp.ConnectionTimeoutError:
            raise TemporaryError("no connection in time", delay=0) from None
        except (aiohttp.ClientConnectorCertificateError, ssl.CertificateError) as error:
            raise PermanentError(f"its certificate is not valid: {on_one_line(str(error))}") from None
        except aiohttp.ClientConnectorError as error:
            raise TemporaryError(f"the connection failed: {_why(error)}", delay=0) from None
        except TimeoutError:
            raise Unsure(f"no whole answer within {manners.timeout:g} s", delay=0) from None
        except (aiohttp.ClientError, OSError) as error:
            raise Unsure(f"the connection failed: {_why(error)}", delay=0) from None


async def _bounded(response: aiohttp.ClientResponse, most: int, *, cut: bool) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        parts.append(chunk)
        size += len(chunk)
        if size > most:
            if cut:
                break
            raise TooLarge(f"the answer has more than {most:,} bytes")
    return b"".join(parts)[:most]


_timeouts: dict[float, aiohttp.ClientTimeout] = {}


def _timeout(seconds: float) -> aiohttp.ClientTimeout:
    if seconds not in _timeouts:
        # Shorter than the whole, so that a connection that is not made is told from an answer that does not come.
        connect = min(LONGEST_CONNECT, seconds / 2)
        _timeouts[seconds] = aiohttp.ClientTimeout(total=seconds, sock_connect=connect)
    return _timeouts[seconds]


def _why(error: Exception) -> str:
    return on_one_line(str(error)) or type(error).__name__
