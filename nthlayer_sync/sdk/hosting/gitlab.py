"""Merge requests on GitLab.com and on GitLab's own installations.

https://docs.gitlab.com/api/merge_requests: the token needs the scope `api`, and the role of a developer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from nthlayer_sync.errors import Failure
from nthlayer_sync.sdk.hosting.host import LOOKED_BACK, Branches, Proposal, PullRequest, State, shaped
from nthlayer_sync.sdk.http import Answer, Call, Manners, Tool, at

MANNERS = Manners(rate=10.0)
"""GitLab.com takes 2,000 requests a minute from one user (docs.gitlab.com/user/gitlab_com)."""
_STATES = {"opened": State.OPEN, "locked": State.OPEN, "merged": State.MERGED}


class _User(msgspec.Struct):
    id: int
    username: str


class _Diff(msgspec.Struct):
    base_sha: str | None = None


class _Merge(msgspec.Struct):
    iid: int
    web_url: str
    state: str
    source_project_id: int | None = None
    target_project_id: int | None = None
    sha: str | None = None
    description: str | None = None
    labels: list[str] = []
    draft: bool = False
    closed_by: _User | None = None
    closed_at: str | None = None
    diff_refs: _Diff | None = None


class GitLab:
    """Merge requests through the REST API. Groups cannot be asked for a review, only people."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool

    async def find(self, where: Branches) -> list[PullRequest]:
        """One question: the list says nearly all there is to know."""
        query = (
            ("state", "all"), ("source_branch", where.head), ("target_branch", where.base),
            ("order_by", "created_at"), ("sort", "desc"), ("per_page", str(LOOKED_BACK)),
        )  # fmt: skip
        merges = shaped(await self._ask("GET", where, "merge_requests", query=query), list[_Merge])
        return [_request(merge) for merge in merges if merge.source_project_id == merge.target_project_id]

    async def look(self, where: Branches, request: PullRequest) -> PullRequest:
        """The base it was made for stands only with the single one."""
        return _request(shaped(await self._ask("GET", where, "merge_requests", str(request.number)), _Merge))

    async def open(self, where: Branches, proposal: Proposal) -> PullRequest:
        """Everything in one request."""
        body: dict[str, Any] = {
            **_text(proposal, proposal.draft),
            "source_branch": where.head,
            "target_branch": where.base,
            "labels": list(proposal.labels),
        }
        if reviewers := [id for name in proposal.reviewers if (id := await self._user(name)) is not None]:
            body["reviewer_ids"] = reviewers
        return _request(shaped(await self._ask("POST", where, "merge_requests", json=body), _Merge))

    async def update(self, where: Branches, request: PullRequest, proposal: Proposal) -> None:
        """Title, description and missing labels, in one request."""
        missing = [label for label in proposal.labels if label not in request.labels]
        await self._put(
            where, request, {**_text(proposal, request.draft), **({"add_labels": missing} if missing else {})}
        )

    async def close(self, where: Branches, request: PullRequest, proposal: Proposal) -> None:
        """Description and state in one request, so that it is never closed with a checksum that declines something."""
        await self._put(where, request, {**_text(proposal, request.draft), "state_event": "close"})

    async def _put(self, where: Branches, request: PullRequest, body: dict[str, Any]) -> None:
        await self._ask("PUT", where, "merge_requests", str(request.number), json=body)

    async def _user(self, name: str) -> int | None:
        """The id of a person, None for a group and for whom GitLab does not know."""
        if "/" in name:
            return None
        try:
            answer = await self._tool.ask(Call(path=at("users"), query=(("username", name),)))
        except Failure:
            return None
        return next((user.id for user in shaped(answer, list[_User]) if user.username.lower() == name.lower()), None)

    async def _ask(
        self, method: str, where: Branches, *path: str, query: Iterable[tuple[str, str]] = (), json: Any = None
    ) -> Answer:
        full = at("projects", where.slug, *path)
        return await self._tool.ask(Call(method=method, path=full, query=tuple(query), json=json))


def _text(proposal: Proposal, draft: bool) -> dict[str, str]:
    # A draft is told by its title.
    return {"title": f"{'Draft: ' * draft}{proposal.title}", "description": proposal.body}


def _request(merge: _Merge) -> PullRequest:
    return PullRequest(
        number=merge.iid,
        url=merge.web_url,
        state=_STATES.get(merge.state, State.CLOSED),
        body=merge.description or "",
        labels=frozenset(merge.labels),
        draft=merge.draft,
        head=merge.sha or "",
        ref=f"refs/merge-requests/{merge.iid}/head",
        base=(merge.diff_refs.base_sha or "") if merge.diff_refs else "",
        closed_by=merge.closed_by.username if merge.closed_by else "",
        closed_on=(merge.closed_at or "")[:10],
    )
