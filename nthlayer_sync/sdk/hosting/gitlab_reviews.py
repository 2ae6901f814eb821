"""Comments and statuses on merge requests on GitLab.

https://docs.gitlab.com/api/merge_requests, https://docs.gitlab.com/api/notes and https://docs.gitlab.com/api/commits:
the token needs the scope `api`, and the role of a developer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from typing import Any, TypeVar

import msgspec

from nthlayer_sync.sdk.hosting.host import shaped
from nthlayer_sync.sdk.hosting.reviews import MOST_COMMENTS, MOST_FILES, PAGE, Comment, Request, Touched, Verdict
from nthlayer_sync.sdk.http import Answer, BadRequest, Call, NotThere, Refused, Tool, at

T = TypeVar("T")

NAME = "nthlayer-sync"
"""What our status is called."""


class _Merge(msgspec.Struct):
    iid: int
    web_url: str
    state: str
    target_branch: str
    source_project_id: int | None = None
    sha: str | None = None
    has_conflicts: bool = False


class _Project(msgspec.Struct):
    default_branch: str | None = None


class _Merged(msgspec.Struct):
    commit_id: str


class _Diff(msgspec.Struct):
    new_path: str
    old_path: str
    deleted_file: bool = False
    renamed_file: bool = False


class _User(msgspec.Struct):
    id: int


class _Note(msgspec.Struct):
    id: int
    body: str
    author: _User


class _Status(msgspec.Struct):
    status: str
    description: str | None = None


class GitLabReviews:
    """Merge requests of people through the REST API."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._id: int | None = None

    async def request(self, slug: str, number: int) -> Request:
        """GitLab tries the merge when it is asked for what comes of it."""
        merge = shaped(await self._ask("GET", slug, "merge_requests", str(number)), _Merge)
        opened = merge.state in ("opened", "locked")
        default = shaped(await self._ask("GET", slug), _Project).default_branch if opened else None
        into_default = merge.target_branch == default
        return Request(
            number=merge.iid,
            url=merge.web_url,
            open=opened,
            into_default=into_default,
            head=merge.sha or "",
            merged=await self._merged(slug, number) if into_default else "",
            conflicts=merge.has_conflicts,
            source=str(merge.source_project_id or ""),
        )

    async def touched(self, slug: str, request: Request) -> Touched:
        """A renamed file is gone from its old place."""
        found: dict[str, bool] = {}
        rows = 0
        each = self._each(slug, "merge_requests", str(request.number), "diffs", shape=_Diff, most=MOST_FILES)
        async for diff in each:
            rows += 1
            if diff.renamed_file:
                found.setdefault(diff.old_path, False)
            found[diff.new_path] = not diff.deleted_file
        return Touched(found, whole=rows < MOST_FILES)

    async def read(self, slug: str, commit: str, path: str) -> bytes | None:
        """The project keeps the commits of every merge request, those of forks too."""
        try:
            answer = await self._ask("GET", slug, "repository", "files", path, "raw", query=[("ref", commit)])
        except NotThere:
            return None
        return answer.body

    async def comment(self, slug: str, request: Request, marker: str) -> Comment | None:
        """Comments are called notes here."""
        if self._id is None:
            self._id = shaped(await self._tool.ask(Call(path=at("user"))), _User).id
        order = [("sort", "asc"), ("order_by", "created_at")]
        path = ("merge_requests", str(request.number), "notes")
        async for note in self._each(slug, *path, shape=_Note, most=MOST_COMMENTS, query=order):
            if note.author.id == self._id and note.body.startswith(marker):
                return Comment(note.id, note.body)
        return None

    async def say(self, slug: str, request: Request, body: str, instead: Comment | None) -> None:
        """A note, or another text for one."""
        path = ("merge_requests", str(request.number), "notes")
        if instead is None:
            await self._ask("POST", slug, *path, json={"body": body})
        else:
            await self._ask("PUT", slug, *path, str(instead.id), json={"body": body})

    async def verdict(self, slug: str, request: Request) -> Verdict | None:
        """The last status by our name. A fork that we may not look into has none."""
        path = ("repository", "commits", request.head, "statuses")
        try:
            answer = await self._ask("GET", request.source or slug, *path, query=[("name", NAME)])
        except (NotThere, Refused):
            return None
        rows = shaped(answer, list[_Status])
        return Verdict(rows[0].status == "success", rows[0].description or "") if rows else None

    async def judge(self, slug: str, request: Request, verdict: Verdict) -> None:
        """In the project that the head is in: a merge request shows no other statuses.

        A fork takes none from us, and a status takes none that is in the state already; the comment says it all then
        (github.com/jenkinsci/gitlab-plugin/issues/344, gitlab.com/gitlab-org/gitlab-foss/-/issues/25807).
        """
        body = {
            "state": "success" if verdict.passed else "failed",
            "name": NAME,
            "description": verdict.sentence,
            "target_url": request.url,
        }
        try:
            await self._ask("POST", request.source or slug, "statuses", request.head, json=body, safe=True)
        except (NotThere, Refused, BadRequest):
            return

    async def _merged(self, slug: str, number: int) -> str:
        """The commit that merging it would make, "" where it cannot be merged as it is."""
        try:
            answer = await self._ask("GET", slug, "merge_requests", str(number), "merge_ref")
        except (NotThere, Refused, BadRequest):
            return ""
        return shaped(answer, _Merged).commit_id

    async def _each(
        self, slug: str, *path: str, shape: type[T], most: int, query: Iterable[tuple[str, str]] = ()
    ) -> AsyncIterator[T]:
        """The rows of a list, page by page."""
        for page in range(1, most // PAGE + 1):
            asked = [*query, ("per_page", str(PAGE)), ("page", str(page))]
            rows = shaped(await self._ask("GET", slug, *path, query=asked), list[shape])
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return

    async def _ask(
        self,
        method: str,
        slug: str,
        *path: str,
        query: Iterable[tuple[str, str]] = (),
        json: Any = None,
        safe: bool | None = None,
    ) -> Answer:
        call = Call(method=method, path=at("projects", slug, *path), query=tuple(query), json=json, safe=safe)
        return await self._tool.ask(call)
