"""GitHub: pushes and pull requests of its repositories.

https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries: `X-Hub-Signature-256` is the HMAC of
the body. Neither a time nor the delivery id (`X-GitHub-Delivery`) is signed: whoever repeats a delivery can give it
another id, so it is told by its body. What bodies hold:
https://docs.github.com/en/webhooks/webhook-events-and-payloads#push and #pull_request.
"""

from __future__ import annotations

import msgspec

from nthlayer_sync.web.hooks.hook import NOTHING, Asks, Delivery, Hook
from nthlayer_sync.web.hooks.landscape import Landscape, told_repository
from nthlayer_sync.web.hooks.repositories import Commit, Pull, Push, Turn, pulled, pushed
from nthlayer_sync.web.hooks.schemes import Signed

MOST_COMMITS = 2048
"""Commits that GitHub names of one push; of longer ones it leaves out the rest."""


class _Person(msgspec.Struct):
    email: str | None = None


class _Commit(msgspec.Struct):
    author: _Person
    committer: _Person | None = None
    added: list[str] = []
    modified: list[str] = []
    removed: list[str] = []


class _Repository(msgspec.Struct):
    html_url: str
    default_branch: str


class _Push(msgspec.Struct):
    ref: str
    repository: _Repository
    commits: list[_Commit] = []


class _Fork(msgspec.Struct):
    html_url: str


class _Head(msgspec.Struct):
    ref: str
    repo: _Fork | None = None


class _PullRequest(msgspec.Struct):
    number: int
    head: _Head
    merged: bool | None = None


class _PullRequestEvent(msgspec.Struct):
    action: str
    pull_request: _PullRequest
    repository: _Repository


def _asks(delivery: Delivery, landscape: Landscape) -> Asks:
    match delivery.headers.get("X-GitHub-Event"):
        case "push":
            return _of_push(delivery.read(_Push), landscape)
        case "pull_request":
            return _of_pull_request(delivery.read(_PullRequestEvent), landscape)
        case _:
            return NOTHING


def _of_push(event: _Push, landscape: Landscape) -> Asks:
    commits = [
        Commit(
            # Who merges by rebasing leaves our name as author, and is the committer.
            tuple(each.email or "" for each in (commit.author, commit.committer) if each),
            (*commit.added, *commit.modified, *commit.removed),
        )
        for commit in event.commits
    ]
    push = Push(
        repository=told_repository(event.repository.html_url),
        ref=event.ref,
        base=event.repository.default_branch,
        commits=commits if len(commits) < MOST_COMMITS else None,
    )
    return pushed(push, landscape)


def _of_pull_request(event: _PullRequestEvent, landscape: Landscape) -> Asks:
    request = event.pull_request
    match event.action:
        case "opened" | "synchronize" | "reopened":
            turn = Turn.NEW
        case "closed":
            turn = Turn.MERGED if request.merged else Turn.CLOSED
        case _:
            turn = Turn.NONE
    pull = Pull(
        repository=told_repository(event.repository.html_url),
        number=request.number,
        turn=turn,
        branch=request.head.ref,
        is_fork=request.head.repo is None or request.head.repo.html_url != event.repository.html_url,
    )
    return pulled(pull, landscape)


HOOK = Hook("github", Signed("X-Hub-Signature-256", "sha256="), _asks)
