"""GitLab: pushes and merge requests of its projects.

https://docs.gitlab.com/user/project/integrations/webhooks/: a hook has a signing token (`whsec_…`), with which it signs
as Standard Webhooks say, or a secret token, which it sends in `X-Gitlab-Token`. Of what a secret token comes with
nothing is signed; `Idempotency-Key` stays the same when GitLab tries again. What bodies hold:
https://docs.gitlab.com/user/project/integrations/webhook_events/#push-events and #merge-request-events.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256

import msgspec

from nthlayer_sync.web.hooks.hook import NOTHING, Asks, Delivery, Hook
from nthlayer_sync.web.hooks.landscape import Landscape, told_repository
from nthlayer_sync.web.hooks.repositories import Commit, Pull, Push, Turn, pulled, pushed
from nthlayer_sync.web.hooks.schemes import Check, Headers, Standard, Token

_SIGNING = "whsec_"


class _GitLab:
    """By the sort of the secret: a signing token is never taken for a secret token, which is sent in the open."""

    def __init__(self) -> None:
        self._standard = Standard()
        self._token = Token("X-Gitlab-Token")

    def check(self, secret: str) -> None:
        """A signing token has to be one; any other text will do as a secret token."""
        if secret.startswith(_SIGNING):
            self._standard.check(secret)

    def plausible(self, headers: Headers, now: float) -> bool:
        """Whether there is a signature or a token."""
        return self._of(headers).plausible(headers, now)

    def admit(self, headers: Headers, secrets: Sequence[str]) -> Check | None:
        """The check of the body, with the secrets of the sort that the delivery has."""
        scheme = self._of(headers)
        signing = scheme is self._standard
        return scheme.admit(headers, [each for each in secrets if each.startswith(_SIGNING) == signing])

    def id(self, headers: Headers, body: bytes) -> str:
        """The signed id, or the key that retries have in common."""
        if self._is_signed(headers):
            return self._standard.id(headers, body)
        key = headers.get("Idempotency-Key", "")
        return sha256(key.encode()).hexdigest() if key else self._token.id(headers, body)

    def _of(self, headers: Headers) -> Standard | Token:
        return self._standard if self._is_signed(headers) else self._token

    @staticmethod
    def _is_signed(headers: Headers) -> bool:
        return "webhook-signature" in headers


class _Author(msgspec.Struct):
    email: str | None = None


class _Commit(msgspec.Struct):
    author: _Author
    added: list[str] = []
    modified: list[str] = []
    removed: list[str] = []


class _Project(msgspec.Struct):
    web_url: str
    default_branch: str | None = None


class _Kind(msgspec.Struct):
    object_kind: str = ""


class _Push(msgspec.Struct):
    ref: str
    project: _Project
    total_commits_count: int = 0
    commits: list[_Commit] = []


class _MergeRequest(msgspec.Struct):
    iid: int
    source_branch: str
    source_project_id: int | None = None
    target_project_id: int | None = None
    action: str = ""
    oldrev: str | None = None


class _MergeRequestEvent(msgspec.Struct):
    project: _Project
    object_attributes: _MergeRequest


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    match delivery.read(_Kind).object_kind:
        case "push":
            return _of_push(delivery.read(_Push), landscape)
        case "merge_request":
            return _of_merge_request(delivery.read(_MergeRequestEvent), landscape)
        case _:
            return NOTHING


def _of_push(event: _Push, landscape: Landscape) -> Asks:
    commits = [
        Commit((commit.author.email or "",), (*commit.added, *commit.modified, *commit.removed))
        for commit in event.commits
    ]
    push = Push(
        repository=told_repository(event.project.web_url),
        ref=event.ref,
        base=event.project.default_branch or "",
        # Of many commits only the newest twenty are told.
        commits=commits if event.total_commits_count <= len(commits) else None,
    )
    return pushed(push, landscape)


def _of_merge_request(event: _MergeRequestEvent, landscape: Landscape) -> Asks:
    request = event.object_attributes
    match request.action:
        case "open" | "reopen":
            turn = Turn.NEW
        case "update" if request.oldrev:  # there only when the update brought commits
            turn = Turn.NEW
        case "merge":
            turn = Turn.MERGED
        case "close":
            turn = Turn.CLOSED
        case _:
            turn = Turn.NONE
    pull = Pull(
        repository=told_repository(event.project.web_url),
        number=request.iid,
        turn=turn,
        branch=request.source_branch,
        is_fork=request.source_project_id != request.target_project_id,
    )
    return pulled(pull, landscape)


HOOK = Hook("gitlab", _GitLab(), _asks)
