"""How Slack's methods are called, and what their refusals mean (docs.slack.dev/apis/web-api)."""

from __future__ import annotations

import html
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any, cast

from nthlayer_sync.errors import Failure, PermanentError, TemporaryError
from nthlayer_sync.sdk.http import Answer, BadRequest, Call, Conflict, Manners, NotThere, Refused, Tool, Unsure
from nthlayer_sync.sdk.rest import Collection, Json
from nthlayer_sync.sdk.rest.mark import read_mark
from nthlayer_sync.sdk.rest.paging import dig

MANNERS = Manners(rate=1.0, burst=3, at_once=2)
"""Most methods that we call are of tier 2, 20 a minute for each; three take turns when a channel is made."""

_MEANINGS: dict[str, type[Failure]] = {
    **dict.fromkeys(("channel_not_found", "no_such_subteam", "user_not_found"), NotThere),
    **dict.fromkeys(("name_taken", "name_already_exists", "handle_already_exists"), Conflict),
    **dict.fromkeys(("ratelimited", "rate_limited", "request_timeout", "service_unavailable"), TemporaryError),
    # Slack says of these that some of the request may have been carried out.
    **dict.fromkeys(("internal_error", "fatal_error"), Unsure),
    **dict.fromkeys(("access_denied", "account_inactive", "invalid_auth", "missing_scope", "no_permission"), Refused),
    **dict.fromkeys(("not_allowed_token_type", "not_authed", "permission_denied", "restricted_action"), Refused),
    **dict.fromkeys(("token_expired", "token_revoked"), Refused),
}
_WRAPPED = re.compile(r"<(?:mailto:|(?=https?:))([^<>|]+)(?:\|[^<>]*)?>")


def checked(method: str, answer: Answer) -> Json:
    """What a method says; raises what its refusal means, for Slack refuses with status 200."""
    body: Any = answer.json()
    if not isinstance(body, dict):
        raise PermanentError(f"slack: {method} answers with something else than an object")
    said = cast("Json", body)
    if said.get("ok") is not True:
        word = str(said.get("error"))[:80]
        needed = f", it needs {str(said['needed'])[:80]}" if said.get("needed") else ""
        raise _MEANINGS.get(word, BadRequest)(f"slack: {method}: {word}{needed}")
    return said


async def look(tool: Tool, method: str, **asked: str) -> Json:
    """Call a method that only reads."""
    return checked(method, await tool.ask(Call(path=f"/{method}", query=tuple(asked.items()))))


async def tell(tool: Tool, method: str, **told: str) -> Json:
    """Call a method that changes something; as a form, which every method takes."""
    return checked(method, await tool.ask(Call(method="POST", path=f"/{method}", form=told)))


async def pages(tool: Tool, method: str, many: str, **asked: str) -> list[Json]:
    """Every object that a method lists; it is read to its end or not at all."""
    found: list[Json] = []
    cursors: set[str] = set()
    cursor = ""
    while True:
        # 200 is what Slack recommends at most; a short page is not the last one.
        said = await look(tool, method, limit="200", **asked, **({"cursor": cursor} if cursor else {}))
        found += cast("list[Json]", said[many])
        cursor = str(dig(said, "response_metadata.next_cursor") or "")
        if not cursor:
            return found
        if cursor in cursors:
            raise TemporaryError(f"slack: the pages of {method} go in circles")
        cursors.add(cursor)


def plain(text: object) -> str:
    """A text as it was written: Slack stores `&`, `<`, `>` escaped, and puts addresses in angle brackets."""
    return html.unescape(_WRAPPED.sub(r"\1", str(text or "")))


@dataclass(frozen=True)
class InLine:
    """A mark in brackets at the end of a text of one line; Slack need not keep line breaks."""

    field: str

    def put(self, body: Json, mark: str) -> None:
        """Behind the text."""
        body[self.field] = f"{body.get(self.field) or ''} [{mark}]".lstrip()

    def take(self, body: Json) -> str:
        """The last word, where it is a mark in brackets."""
        before, _, last = str(body.get(self.field) or "").rstrip().rpartition(" ")
        if not (last.startswith("[") and last.endswith("]") and read_mark(last[1:-1])):
            return ""
        body[self.field] = before.rstrip()
        return last[1:-1]


@dataclass(frozen=True)
class Users(Collection):
    """People with an account, known by e-mail address."""

    key: str = "profile.email"

    async def list(self, tool: Tool) -> AsyncIterator[Json]:
        """Everybody who still has one."""
        for user in await pages(tool, "users.list", "members"):
            if not user.get("deleted"):
                yield user

    def key_of(self, body: Json) -> str:
        """In lower case, as addresses are compared."""
        return super().key_of(body).lower()


USERS = Users("users", "/users.list")
