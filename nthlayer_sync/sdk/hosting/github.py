"""Pull requests on GitHub, GitHub Enterprise Cloud and GitHub Enterprise Server.

https://docs.github.com/rest/pulls: the token needs `pull requests: write`, and `issues: write` for labels.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk.hosting.host import LOOKED_BACK, Branches, Proposal, PullRequest, State, shaped
from nthlayer_sync.sdk.http import Answer, Call, Manners, NotThere, Refused, Tool, at

MANNERS = Manners(rate=3.0)
"""A change counts 5 points of 900 a minute (docs.github.com/rest/using-the-rest-api/rate-limits-for-the-rest-api)."""
HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class _Named(msgspec.Struct):
    name: str


class _Repository(msgspec.Struct):
    full_name: str


class _Tip(msgspec.Struct):
    sha: str
    repo: _Repository | None = None


class _Pull(msgspec.Struct):
    number: int
    html_url: str
    state: str
    head: _Tip
    base: _Tip
    body: str | None = None
    merged_at: str | None = None
    closed_at: str | None = None
    labels: list[_Named] = []


class _User(msgspec.Struct):
    login: str


class _Issue(msgspec.Struct):
    closed_by: _User | None = None


class GitHub:
    """Pull requests through the REST API."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool

    async def find(self, where: Branches) -> list[PullRequest]:
        """One question: the list says nearly all there is to know."""
        owner = where.slug.partition("/")[0]
        query = (
            ("state", "all"), ("head", f"{owner}:{where.head}"), ("base", where.base),
            ("sort", "created"), ("direction", "desc"), ("per_page", str(LOOKED_BACK)),
        )  # fmt: skip
        pulls = shaped(await self._ask("GET", where, "pulls", query=query), list[_Pull])
        ours = (pull for pull in pulls if pull.head.repo and pull.head.repo.full_name.lower() == where.slug.lower())
        return [_request(pull) for pull in ours]

    async def look(self, where: Branches, request: PullRequest) -> PullRequest:
        """Who closed it stands with the issue that it is as well; a token that may not read that learns no name."""
        try:
            issue = shaped(await self._ask("GET", where, "issues", str(request.number)), _Issue)
        except (NotThere, Refused):
            return request
        return msgspec.structs.replace(request, closed_by=issue.closed_by.login if issue.closed_by else "")

    async def open(self, where: Branches, proposal: Proposal) -> PullRequest:
        """Opened first, labelled and sent to reviewers then."""
        body = {
            "title": proposal.title,
            "body": proposal.body,
            "head": where.head,
            "base": where.base,
            "draft": proposal.draft,
        }
        request = _request(shaped(await self._ask("POST", where, "pulls", json=body), _Pull))
        await self._label(where, request, proposal.labels)
        await self._invite(where, request, proposal.reviewers)
        return request

    async def update(self, where: Branches, request: PullRequest, proposal: Proposal) -> None:
        """Title, body and missing labels."""
        await self._patch(where, request, {"title": proposal.title, "body": proposal.body})
        await self._label(where, request, [label for label in proposal.labels if label not in request.labels])

    async def close(self, where: Branches, request: PullRequest, proposal: Proposal) -> None:
        """Body and state in one request, so that it is never closed with a checksum that would decline something."""
        await self._patch(where, request, {"title": proposal.title, "body": proposal.body, "state": "closed"})

    async def _patch(self, where: Branches, request: PullRequest, body: dict[str, str]) -> None:
        await self._ask("PATCH", where, "pulls", str(request.number), json=body, safe=True)

    async def _label(self, where: Branches, request: PullRequest, labels: Iterable[str]) -> None:
        if names := list(labels):
            await self._try(where, "issues", str(request.number), "labels", json={"labels": names})

    async def _invite(self, where: Branches, request: PullRequest, reviewers: Iterable[str]) -> None:
        """All at once; where GitHub does not know one of them it takes none, and each is asked by itself."""
        organisation = where.slug.partition("/")[0].lower()
        teams = [r.partition("/")[2] for r in reviewers if r.lower().startswith(f"{organisation}/")]
        people = [r for r in reviewers if "/" not in r]
        path = ("pulls", str(request.number), "requested_reviewers")
        if not teams and not people:
            return
        if await self._try(where, *path, json={"reviewers": people, "team_reviewers": teams}):
            return
        for body in (*({"team_reviewers": [t]} for t in teams), *({"reviewers": [p]} for p in people)):
            await self._try(where, *path, json=body)

    async def _try(self, where: Branches, *path: str, json: Any) -> bool:
        try:
            await self._ask("POST", where, *path, json=json, safe=True)
        except Failure:
            return False
        return True

    async def _ask(
        self,
        method: str,
        where: Branches,
        *path: str,
        query: Iterable[tuple[str, str]] = (),
        json: Any = None,
        safe: bool | None = None,
    ) -> Answer:
        full = at("repos", *where.slug.split("/"), *path)
        return await self._tool.ask(
            Call(method=method, path=full, query=tuple(query), json=json, safe=safe, headers=HEADERS)
        )


def _request(pull: _Pull) -> PullRequest:
    return PullRequest(
        number=pull.number,
        url=pull.html_url,
        state=State.OPEN if pull.state == "open" else State.MERGED if pull.merged_at else State.CLOSED,
        body=pull.body or "",
        labels=frozenset(label.name for label in pull.labels),
        head=pull.head.sha,
        ref=f"refs/pull/{pull.number}/head",
        base=pull.base.sha,
        closed_on=(pull.closed_at or "")[:10],
    )
