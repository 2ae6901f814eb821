"""Comments and checks on pull requests on GitHub.

https://docs.github.com/rest: the token needs `contents: read`, `pull requests: write` and `commit statuses: write`;
that of a GitHub App `checks: write` instead of the last, since only Apps may make check runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from nthlayer_sync.sdk.hosting.github import HEADERS
from nthlayer_sync.sdk.hosting.host import shaped
from nthlayer_sync.sdk.hosting.markup import code
from nthlayer_sync.sdk.hosting.reviews import MOST_COMMENTS, MOST_FILES, PAGE, Comment, Request, Touched, Verdict
from nthlayer_sync.sdk.http import Answer, Call, NotThere, Refused, Tool, at

T = TypeVar("T")

NAME = "nthlayer-sync"
"""What our check is called: https://docs.github.com/rest/checks/runs, https://docs.github.com/rest/commits/statuses."""


class _Repository(msgspec.Struct):
    full_name: str
    default_branch: str = ""


class _Tip(msgspec.Struct):
    sha: str
    ref: str = ""
    repo: _Repository | None = None


class _Pull(msgspec.Struct):
    number: int
    html_url: str
    state: str
    head: _Tip
    base: _Tip
    mergeable: bool | None = None
    merge_commit_sha: str | None = None


class _File(msgspec.Struct):
    filename: str
    status: str
    previous_filename: str = ""


class _User(msgspec.Struct):
    login: str
    type: str = ""


class _Comment(msgspec.Struct):
    id: int
    body: str | None = None
    user: _User | None = None


class _Output(msgspec.Struct):
    title: str | None = None


class _Run(msgspec.Struct):
    conclusion: str | None = None
    output: _Output = msgspec.field(default_factory=_Output)


class _Runs(msgspec.Struct):
    check_runs: list[_Run]


class _Status(msgspec.Struct):
    state: str
    context: str
    description: str | None = None


class GitHubReviews:
    """Pull requests of people through the REST API."""

    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        self._login: str | None = None
        self._may_check = True
        """Whether check runs were not refused yet."""

    async def request(self, slug: str, number: int) -> Request:
        """GitHub tries the merge by itself, and keeps the commit that comes of it."""
        pull = shaped(await self._ask("GET", slug, "pulls", str(number)), _Pull)
        default = pull.base.repo.default_branch if pull.base.repo else ""
        return Request(
            number=pull.number,
            url=pull.html_url,
            open=pull.state == "open",
            into_default=pull.base.ref == default,
            head=pull.head.sha,
            merged=(pull.merge_commit_sha or "") if pull.mergeable else "",
            conflicts=pull.mergeable is False,
        )

    async def touched(self, slug: str, request: Request) -> Touched:
        """A renamed file is gone from its old place."""
        found: dict[str, bool] = {}
        rows = 0
        async for file in self._each(slug, "pulls", str(request.number), "files", shape=_File, most=MOST_FILES):
            rows += 1
            if file.status == "renamed" and file.previous_filename:
                found.setdefault(file.previous_filename, False)
            found[file.filename] = file.status != "removed"
        return Touched(found, whole=rows < MOST_FILES)

    async def read(self, slug: str, commit: str, path: str) -> bytes | None:
        """The repository keeps the commits of every pull request, those of forks too."""
        headers = {"Accept": "application/vnd.github.raw+json"}
        try:
            answer = await self._ask(
                "GET", slug, "contents", *path.split("/"), query=[("ref", commit)], headers=headers
            )
        except NotThere:
            return None
        return answer.body

    async def comment(self, slug: str, request: Request, marker: str) -> Comment | None:
        """An App's token does not say who it is; people cannot pass as bots."""
        login = await self._me()
        rows = self._each(slug, "issues", str(request.number), "comments", shape=_Comment, most=MOST_COMMENTS)
        async for row in rows:
            ours = row.user is not None and (row.user.login == login if login else row.user.type == "Bot")
            if ours and row.body and row.body.startswith(marker):
                return Comment(row.id, row.body)
        return None

    async def say(self, slug: str, request: Request, body: str, instead: Comment | None) -> None:
        """A pull request is an issue to comments."""
        if instead is None:
            await self._ask("POST", slug, "issues", str(request.number), "comments", json={"body": body})
        else:
            await self._ask("PATCH", slug, "issues", "comments", str(instead.id), json={"body": body}, safe=True)

    async def verdict(self, slug: str, request: Request) -> Verdict | None:
        """That of a check run or, where there is none, of a commit status; none of those that we may not look at."""
        with suppress(NotThere, Refused):
            answer = await self._ask("GET", slug, "commits", request.head, "check-runs", query=[("check_name", NAME)])
            if runs := shaped(answer, _Runs).check_runs:
                return Verdict(runs[0].conclusion == "success", runs[0].output.title or "")
        with suppress(NotThere, Refused):
            async for row in self._each(slug, "commits", request.head, "statuses", shape=_Status, most=10 * PAGE):
                if row.context == NAME:
                    return Verdict(row.state == "success", row.description or "")
        return None

    async def judge(self, slug: str, request: Request, verdict: Verdict) -> None:
        """By a check run or, where the token may make none, by a commit status."""
        if self._may_check:
            body = {
                "name": NAME,
                "head_sha": request.head,
                "status": "completed",
                "conclusion": "success" if verdict.passed else "failure",
                "output": {"title": verdict.sentence, "summary": code(verdict.sentence)},
            }
            try:
                await self._ask("POST", slug, "check-runs", json=body, safe=True)
            except (NotThere, Refused):
                self._may_check = False
            else:
                return
        status = {
            "state": "success" if verdict.passed else "failure",
            "context": NAME,
            "description": verdict.sentence,
            "target_url": request.url,
        }
        await self._ask("POST", slug, "statuses", request.head, json=status, safe=True)

    async def _me(self) -> str:
        """Our login, "" where the token is an App's."""
        if self._login is None:
            try:
                user = shaped(await self._tool.ask(Call(path=at("user"), headers=HEADERS)), _User)
            except (NotThere, Refused):
                self._login = ""
            else:
                self._login = user.login
        return self._login

    async def _each(self, slug: str, *path: str, shape: type[T], most: int) -> AsyncIterator[T]:
        """The rows of a list, page by page."""
        for page in range(1, most // PAGE + 1):
            query = [("per_page", str(PAGE)), ("page", str(page))]
            rows = shaped(await self._ask("GET", slug, *path, query=query), list[shape])
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
        headers: dict[str, str] | None = None,
    ) -> Answer:
        call = Call(
            method=method,
            path=at("repos", *slug.split("/"), *path),
            query=tuple(query),
            json=json,
            safe=safe,
            headers={**HEADERS, **(headers or {})},
        )
        return await self._tool.ask(call)
