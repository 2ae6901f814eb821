"""GitHub's and GitLab's pull requests over a real repository; every request is held to the vendor's own spec."""

import gzip
import importlib.util
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from urllib.parse import unquote

from aiohttp import web
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest

KNOWN = {"acme/payments", "ann"}
"""Teams and people that exist."""


def git(*words: str, cwd: Path) -> str:
    return subprocess.run(["git", *words], cwd=cwd, check=True, capture_output=True, text=True).stdout.strip()


@dataclass
class Pull:
    """A pull request."""

    number: int
    head: str
    base: str
    title: str
    body: str
    draft: bool
    sha: str
    base_sha: str
    labels: list[str] = field(default_factory=list)
    reviewers: list[str] = field(default_factory=list)
    state: str = "open"
    merged: bool = False
    closed_by: str = ""


@dataclass
class StandIn:
    """One repository, `acme/central`, on a code host."""

    remote: Path
    shared: Path
    pulls: list[Pull] = field(default_factory=list)
    log: list[tuple[str, str, Any]] = field(default_factory=list)
    """Changes that were asked for: method, path, body."""
    asked: int = 0
    wrong: list[str] = field(default_factory=list)
    """How requests, or our answers, were not as the vendor says."""
    fault: Callable[[web.Request], web.Response | None] = lambda request: None
    after: Callable[[web.Request], web.Response | None] = lambda request: None
    """The same, once the request was carried out."""

    spec: ClassVar[str]
    version: ClassVar[str]
    refs: ClassVar[str]

    def application(self) -> web.Application:
        application = web.Application(client_max_size=16 << 20)
        application.router.add_route("*", "/{path:.*}", self.serve)
        return application

    async def serve(self, request: web.Request) -> web.StreamResponse:
        body = json.loads(await request.read()) if request.can_read_body else None
        path = request.rel_url.raw_path
        with self.noting(request):
            self.check(request, path, body)
        self.asked += 1
        if request.method != "GET":
            self.log.append((request.method, path, body))
        if (instead := self.fault(request)) is not None:
            return instead
        self.refresh()
        status, answer = self.answer(request.method, path.removeprefix(self.version), dict(request.query), body)
        with self.noting(request):
            self.check_answer(request, path, status, answer)
        if (instead := self.after(request)) is not None:
            return instead
        if isinstance(answer, bytes):
            return web.Response(body=answer, status=status)
        return web.json_response(answer, status=status)

    @contextmanager
    def noting(self, request: web.Request) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self.wrong.append(f"{request.method} {request.path}: {error!r}")
            raise

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        raise NotImplementedError

    def check(self, request: web.Request, path: str, body: Any) -> None:
        """The vendor's spec, and no field that it does not name."""
        openapi, spec, conformance = loaded(self.shared, self.spec)
        mock = MockRequest(
            "https://host.example", request.method.lower(), path, args=dict(request.query),
            headers={"Authorization": "Bearer x"},
            data=json.dumps(body).encode() if body is not None else None,
        )  # fmt: skip
        openapi.validate_request(mock)
        operation = openapi.unmarshal_request(mock)
        assert not operation.errors
        described = self.described(request, path)
        names = {conformance._resolve(spec, each)["name"] for each in described.get("parameters", [])}
        assert set(request.query) <= names
        if body is not None:
            content = conformance._resolve(spec, described["requestBody"])["content"]
            assert conformance.unknown_fields(spec, next(iter(content.values()))["schema"], body) == []

    def check_answer(self, request: web.Request, path: str, status: int, answer: Any) -> None:
        """We answer with a part of what the vendor does, in the vendor's words."""
        _, spec, conformance = loaded(self.shared, self.spec)
        response = self.described(request, path)["responses"].get(str(status))
        content = conformance._resolve(spec, response).get("content") if response else None
        if content and status < 300 and not isinstance(answer, bytes):
            assert conformance.unknown_fields(spec, next(iter(content.values()))["schema"], answer) == []

    def described(self, request: web.Request, path: str) -> dict[str, Any]:
        _, spec, _ = loaded(self.shared, self.spec)
        paths = next(operations for template, operations in spec["paths"].items() if matches(template, path))
        found = paths[request.method.lower()]
        return {**found, "parameters": [*found.get("parameters", []), *paths.get("parameters", [])]}

    def refresh(self) -> None:
        """What hosts do at a push: an open request follows its branch, one without changes or branch is closed."""
        for pull in self.pulls:
            if pull.state == "open" and (tip := self.tip(pull.head)):
                pull.sha = tip
                git("update-ref", self.refs.format(pull.number), tip, cwd=self.remote)

    def tip(self, branch: str) -> str:
        return git("for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}", cwd=self.remote)

    def create(self, head: str, base: str, title: str, body: str, draft: bool) -> Pull | None:
        """None where the host refuses: there is one already, or nothing to merge."""
        if any(p.state == "open" and p.head == head and p.base == base for p in self.pulls) or not self.tip(head):
            return None
        pull = Pull(len(self.pulls) + 1, head, base, title, body, draft, "", self.tip(base))
        self.pulls.append(pull)
        self.refresh()
        return pull

    def close(self, number: int, by: str = "ann", *, branch_too: bool = False) -> None:
        """A person says no."""
        self.refresh()
        pull = self.pulls[number - 1]
        pull.state, pull.closed_by = "closed", by
        if branch_too:
            git("update-ref", "-d", f"refs/heads/{pull.head}", cwd=self.remote)

    def reopen(self, number: int) -> None:
        pull = self.pulls[number - 1]
        pull.state = "open"
        git("update-ref", f"refs/heads/{pull.head}", pull.sha, cwd=self.remote)

    def merge(self, number: int, *, squash: bool = False, branch_too: bool = True) -> None:
        """A person says yes."""
        self.refresh()
        pull = self.pulls[number - 1]
        tree = git("merge-tree", "--write-tree", pull.base, pull.head, cwd=self.remote)
        who = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        parents = ["-p", self.tip(pull.base), *([] if squash else ["-p", pull.sha])]
        commit = git(*who, "commit-tree", tree, *parents, "-m", "merge", cwd=self.remote)
        git("update-ref", f"refs/heads/{pull.base}", commit, cwd=self.remote)
        pull.state, pull.merged = "closed", True
        if branch_too:
            git("update-ref", "-d", f"refs/heads/{pull.head}", cwd=self.remote)


class GitHubStandIn(StandIn):
    spec, version, refs = "github/rest-reduced.openapi3.json.gz", "", "refs/pull/{}/head"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        rest = path.removeprefix("/repos/acme/central").strip("/").split("/")
        if not path.startswith("/repos/acme/central/"):
            return 404, {"message": "Not Found"}
        match method, rest:
            case "GET", ["pulls"]:
                assert query["state"] == "all"
                owner, _, head = query["head"].partition(":")
                assert owner == "acme"
                found = [p for p in reversed(self.pulls) if (p.head, p.base) == (head, query["base"])]
                return 200, [self.shown(pull) for pull in found[: int(query["per_page"])]]
            case "POST", ["pulls"]:
                pull = self.create(body["head"], body["base"], body["title"], body["body"], body["draft"])
                return (201, self.shown(pull)) if pull else (422, {"message": "Validation Failed"})
            case _:
                pull = self.pulls[int(rest[1]) - 1]
        match method, rest:
            case "PATCH", ["pulls", _]:
                pull.title, pull.body = body["title"], body["body"]
                pull.state = body.get("state", pull.state)
                pull.closed_by = "nthlayer-bot" if body.get("state") == "closed" else ""
                return 200, self.shown(pull)
            case "POST", ["pulls", _, "requested_reviewers"]:
                asked = [f"acme/{team}" for team in body.get("team_reviewers", [])] + body.get("reviewers", [])
                if not KNOWN.issuperset(asked):
                    return 422, {"message": "Reviews may only be requested from collaborators."}
                pull.reviewers += [name for name in asked if name not in pull.reviewers]
                return 201, self.shown(pull)
            case "POST", ["issues", _, "labels"]:
                pull.labels += [name for name in body["labels"] if name not in pull.labels]
                return 200, [{"name": name} for name in pull.labels]
            case "GET", ["issues", _]:
                return 200, {"number": pull.number, "closed_by": {"login": pull.closed_by} if pull.closed_by else None}
        return 404, {"message": "Not Found"}

    def shown(self, pull: Pull) -> dict[str, Any]:
        repository = {"full_name": "acme/central"}
        return {
            "number": pull.number, "html_url": f"https://git.example.com/acme/central/pull/{pull.number}",
            "state": pull.state, "title": pull.title, "body": pull.body, "draft": pull.draft,
            "merged_at": "2026-11-22T10:00:00Z" if pull.merged else None,
            "closed_at": "2026-11-22T10:00:00Z" if pull.state == "closed" else None,
            "labels": [{"name": name} for name in pull.labels],
            "head": {"ref": pull.head, "sha": pull.sha, "repo": repository},
            "base": {"ref": pull.base, "sha": pull.base_sha, "repo": repository},
        }  # fmt: skip


class GitLabStandIn(StandIn):
    spec, version, refs = "gitlab/v4.openapi3-converted.json.gz", "/api/v4", "refs/merge-requests/{}/head"

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/users":
            return 200, [{"id": 7, "username": "ann"}] if query["username"] == "ann" else []
        _, projects, project, *rest = path.split("/")
        if (projects, unquote(project)) != ("projects", "acme/central"):
            return 404, {"message": "404 Project Not Found"}
        match method, rest:
            case "GET", ["merge_requests"]:
                wanted = (query["source_branch"], query["target_branch"])
                found = [pull for pull in reversed(self.pulls) if (pull.head, pull.base) == wanted]
                return 200, [self.shown(pull) for pull in found[: int(query["per_page"])]]
            case "POST", ["merge_requests"]:
                draft = body["title"].startswith("Draft: ")
                pull = self.create(
                    body["source_branch"], body["target_branch"], body["title"], body["description"], draft
                )
                if pull is None:
                    return 409, {"message": ["Another open merge request already exists for this source branch: !1"]}
                pull.labels = body["labels"]
                pull.reviewers = ["ann" for id in body.get("reviewer_ids", []) if id == 7]
                return 201, self.shown(pull)
            case _:
                pull = self.pulls[int(rest[1]) - 1]
        match method, rest:
            case "GET", ["merge_requests", _]:
                fork = git("merge-base", pull.base_sha, pull.sha, cwd=self.remote)
                return 200, {**self.shown(pull), "diff_refs": {"base_sha": fork, "head_sha": pull.sha}}
            case "PUT", ["merge_requests", _]:
                pull.title, pull.body = body["title"], body["description"]
                pull.labels += [name for name in body.get("add_labels", []) if name not in pull.labels]
                if body.get("state_event") == "close":
                    pull.state, pull.closed_by = "closed", "nthlayer-bot"
                return 200, self.shown(pull)
        return 404, {"message": "404 Not Found"}

    def shown(self, pull: Pull) -> dict[str, Any]:
        state = "merged" if pull.merged else "opened" if pull.state == "open" else "closed"
        return {
            "iid": pull.number, "web_url": f"https://git.example.com/acme/central/-/merge_requests/{pull.number}",
            "state": state, "title": pull.title, "description": pull.body, "draft": pull.draft,
            "labels": pull.labels, "sha": pull.sha, "source_project_id": 1, "target_project_id": 1,
            "closed_at": "2026-11-22T10:00:00Z" if state == "closed" else None,
            "closed_by": {"id": 7, "username": pull.closed_by} if pull.closed_by else None,
        }  # fmt: skip


def matches(template: str, path: str) -> bool:
    wanted, found = template.split("/"), path.split("/")
    return len(wanted) == len(found) and all(w == f or w.startswith("{") for w, f in zip(wanted, found, strict=True))


@cache
def loaded(shared: Path, name: str) -> tuple[OpenAPI, dict[str, Any], ModuleType]:
    location = importlib.util.spec_from_file_location("conformance", shared / "specs/tools/conformance.py")
    assert location
    assert location.loader
    conformance = importlib.util.module_from_spec(location)
    location.loader.exec_module(conformance)
    spec = json.loads(gzip.decompress((shared / "specs/api" / name).read_bytes()))
    prepared = conformance.prepare(spec, "https://host.example")
    return OpenAPI.from_dict(prepared, config=Config(spec_validator_cls=None)), prepared, conformance
