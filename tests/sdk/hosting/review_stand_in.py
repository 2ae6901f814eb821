"""The stand-ins, with what people propose and what is said of it: files, comments, checks.

GitLab's spec does not describe notes and `/user`; there docs.gitlab.com/api/notes and /api/users are followed.
"""

import subprocess
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.sdk.hosting.stand_in import GitHubStandIn, GitLabStandIn, Pull, StandIn, git

US, MALLORY = "nthlayer-bot", "mallory"
WHO = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")


@dataclass
class Said:
    """A comment."""

    id: int
    by: str
    body: str


@dataclass
class Reviewed(StandIn):
    """What both hosts have in common."""

    comments: dict[int, list[Said]] = field(default_factory=dict)
    checks: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    """What checks said of commits, the newest first."""
    into: dict[int, str] = field(default_factory=dict)

    def propose(self, files: dict[str, str | None], *, fork: bool = False, base: str = "main") -> int:
        """What a person proposes, in the same repository or in a fork; a file that is None goes. Gives its number."""
        number = len(self.pulls) + 1
        self.pulls.append(Pull(number, f"topic-{number}", base, "t", "", False, "", self.tip(base)))
        self.push(number, files, fork=fork)
        return number

    def push(self, number: int, files: dict[str, str | None], *, fork: bool = False) -> str:
        """One more commit of a request."""
        pull = self.pulls[number - 1]
        commit = self.commit(pull.sha or self.tip(pull.base), files)
        git("update-ref", self.refs.format(number), commit, cwd=self.remote)
        if not fork:
            git("update-ref", f"refs/heads/{pull.head}", commit, cwd=self.remote)
        pull.sha = commit
        return commit

    def commit(self, parent: str, files: dict[str, str | None]) -> str:
        """A commit over another."""
        index = self.remote / "scratch-index"
        environment = {"GIT_INDEX_FILE": str(index), "PATH": "/usr/bin:/bin"}

        def run(*words: str, stdin: bytes = b"") -> str:
            done = subprocess.run(
                ["git", *WHO, *words], cwd=self.remote, env=environment, input=stdin, check=True, capture_output=True
            )
            return done.stdout.decode().strip()

        run("read-tree", parent)
        for path, text in files.items():
            if text is None:
                run("update-index", "--index-info", stdin=f"0 {'0' * 40}\t{path}\n".encode())
            else:
                blob = run("hash-object", "-w", "--stdin", stdin=text.encode(errors="surrogateescape"))
                run("update-index", "--add", "--cacheinfo", f"100644,{blob},{path}")
        return run("commit-tree", run("write-tree"), "-p", parent, "-m", "edit")

    def trial(self, pull: Pull) -> str:
        """The commit that merging it would make, "" where it conflicts."""
        base = self.tip(pull.base)
        done = subprocess.run(
            ["git", "merge-tree", "--write-tree", base, pull.sha], cwd=self.remote, capture_output=True, text=True
        )
        if done.returncode:
            return ""
        tree = done.stdout.strip()
        return git(*WHO, "commit-tree", tree, "-p", base, "-p", pull.sha, "-m", "trial", cwd=self.remote)

    def changed(self, pull: Pull) -> list[tuple[str, str, str]]:
        """Status, old path and path of each file."""
        fork = git("merge-base", self.tip(pull.base), pull.sha, cwd=self.remote)
        rows = git("diff-tree", "-r", "-M", "-z", "--name-status", fork, pull.sha, cwd=self.remote).split("\0")
        found: list[tuple[str, str, str]] = []
        while rows and rows[0]:
            status, path = rows.pop(0)[0], rows.pop(0)
            found.append((status, path, rows.pop(0) if status == "R" else path))
        return found

    def file(self, commit: str, path: str) -> tuple[int, Any]:
        done = subprocess.run(["git", "cat-file", "blob", f"{commit}:{path}"], cwd=self.remote, capture_output=True)
        return (404, {"message": "Not Found"}) if done.returncode else (200, done.stdout)

    def say(self, number: int, body: str, by: str = US) -> Said:
        said = Said(sum(map(len, self.comments.values())) + 100, by, body)
        self.comments.setdefault(number, []).append(said)
        return said

    def instead(self, id: int, body: str) -> Said:
        found = next(said for each in self.comments.values() for said in each if said.id == id)
        found.body = body
        return found


def page_of(rows: list[Any], query: dict[str, str]) -> list[Any]:
    size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
    return rows[(page - 1) * size : page * size]


@dataclass
class GitHubReviewed(Reviewed, GitHubStandIn):
    app: bool = False
    """Whether our token is a GitHub App's: it may make check runs, and does not say who it is."""

    def described(self, request: web.Request, path: str) -> dict[str, Any]:
        return super().described(request, whole(path))

    def check(self, request: web.Request, path: str, body: Any) -> None:
        super().check(request, whole(path), body)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/user":
            return (403, {"message": "Resource not accessible"}) if self.app else (200, user(US))
        rest = unquote(path).removeprefix("/repos/acme/central").strip("/").split("/")
        match method, rest:
            case "GET", ["pulls", number]:
                return 200, self.whole(self.pulls[int(number) - 1])
            case "GET", ["pulls", number, "files"]:
                words = {"A": "added", "M": "modified", "D": "removed", "R": "renamed"}
                rows = [
                    {"filename": new, "status": words[status], **({"previous_filename": old} if old != new else {})}
                    for status, old, new in self.changed(self.pulls[int(number) - 1])
                ]
                return 200, page_of(rows, query)
            case "GET", ["contents", *segments]:
                return self.file(query["ref"], "/".join(segments))
            case "GET", ["issues", number, "comments"]:
                return 200, page_of([self.comment(said) for said in self.comments.get(int(number), [])], query)
            case "POST", ["issues", number, "comments"]:
                return 201, self.comment(self.say(int(number), body["body"]))
            case "PATCH", ["issues", "comments", id]:
                return 200, self.comment(self.instead(int(id), body["body"]))
            case "GET", ["commits", sha, "check-runs"]:
                runs = [check for check in self.checks.get(sha, []) if "conclusion" in check]
                return 200, {"total_count": len(runs[:1]), "check_runs": runs[:1]}
            case "POST", ["check-runs"]:
                if not self.app:
                    return 403, {"message": "You must authenticate via a GitHub App."}
                run = {"id": 1, "name": body["name"], "conclusion": body["conclusion"], "output": body["output"]}
                run["output"] = {key: body["output"][key] for key in ("title", "summary")}
                self.checks.setdefault(body["head_sha"], []).insert(0, run)
                return 201, run
            case "GET", ["commits", sha, "statuses"]:
                return 200, page_of([check for check in self.checks.get(sha, []) if "context" in check], query)
            case "POST", ["statuses", sha]:
                self.checks.setdefault(sha, []).insert(0, body)
                return 201, body
        return super().answer(method, path, query, body)

    def whole(self, pull: Pull) -> dict[str, Any]:
        shown, trial = self.shown(pull), self.trial(pull)
        shown["base"]["repo"] = {"full_name": "acme/central", "default_branch": "main"}
        return {**shown, "mergeable": bool(trial), "merge_commit_sha": trial or None}

    def comment(self, said: Said) -> dict[str, Any]:
        bot = said.by == US and self.app
        return {"id": said.id, "body": said.body, "user": {**user(said.by), "type": "Bot" if bot else "User"}}

    def says(self, sha: str) -> tuple[bool, str] | None:
        """What the check of a commit says."""
        for check in self.checks.get(sha, []):
            if "conclusion" in check:
                return check["conclusion"] == "success", check["output"]["title"]
            return check["state"] == "success", check["description"]
        return None


class GitHubAppReviewed(GitHubReviewed):
    def __init__(self, *words: Any) -> None:
        super().__init__(*words, app=True)


@dataclass
class GitLabReviewed(Reviewed, GitLabStandIn):
    def check(self, request: web.Request, path: str, body: Any) -> None:
        if not undescribed(path):
            super().check(request, path, body)

    def check_answer(self, request: web.Request, path: str, status: int, answer: Any) -> None:
        if not undescribed(path):
            super().check_answer(request, path, status, answer)

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any]:
        if path == "/user":
            return 200, {"id": 7, "username": US}
        _, _, project, *rest = path.split("/")
        if unquote(project) not in ("acme/central", "1"):
            return super().answer(method, path, query, body)
        match method, rest:
            case "GET", []:
                return 200, {"id": 1, "default_branch": "main"}
            case "GET", ["merge_requests", number]:
                return 200, self.whole(self.pulls[int(number) - 1])
            case "GET", ["merge_requests", number, "merge_ref"]:
                trial = self.trial(self.pulls[int(number) - 1])
                return (200, {"commit_id": trial}) if trial else (400, {"message": "Merge request is not mergeable"})
            case "GET", ["merge_requests", number, "diffs"]:
                rows = [
                    {"new_path": new, "old_path": old, "deleted_file": status == "D", "renamed_file": status == "R",
                     "new_file": status == "A", "a_mode": "100644", "b_mode": "100644", "diff": ""}
                    for status, old, new in self.changed(self.pulls[int(number) - 1])
                ]  # fmt: skip
                return 200, page_of(rows, query)
            case "GET", ["repository", "files", path, "raw"]:
                return self.file(query["ref"], unquote(path))
            case "GET", ["merge_requests", number, "notes"]:
                assert (query["sort"], query["order_by"]) == ("asc", "created_at")
                return 200, page_of([self.note(said) for said in self.comments.get(int(number), [])], query)
            case "POST", ["merge_requests", number, "notes"]:
                return 201, self.note(self.say(int(number), body["body"].rstrip()))
            case "PUT", ["merge_requests", _, "notes", id]:
                return 200, self.note(self.instead(int(id), body["body"].rstrip()))
            case "GET", ["repository", "commits", sha, "statuses"]:
                return 200, page_of([self.status(check) for check in self.checks.get(sha, [])], query)
            case "POST", ["statuses", sha]:
                known = self.checks.setdefault(sha, [])
                if known and known[0]["state"] == body["state"]:
                    return 400, {"message": "Cannot transition status via :success from :success"}
                known.insert(0, body)
                return 200, self.status(body)
        return super().answer(method, path, query, body)

    def whole(self, pull: Pull) -> dict[str, Any]:
        return {**self.shown(pull), "target_branch": pull.base, "has_conflicts": not self.trial(pull)}

    def note(self, said: Said) -> dict[str, Any]:
        return {"id": said.id, "body": said.body, "author": {"id": 7 if said.by == US else 66, "username": said.by}}

    def status(self, check: dict[str, Any]) -> dict[str, Any]:
        return {"id": 1, "status": check["state"], "name": check["name"], "description": check["description"]}

    def says(self, sha: str) -> tuple[bool, str] | None:
        """What the check of a commit says."""
        found = self.checks.get(sha)
        return (found[0]["state"] == "success", found[0]["description"]) if found else None


def user(login: str) -> dict[str, Any]:
    return {"login": login, "id": 7, "type": "User"}


def whole(path: str) -> str:
    """The path with that of a file as one segment, as specs mean it."""
    before, contents, after = path.partition("/contents/")
    return f"{before}{contents}{after.replace('/', '%2F')}"


def undescribed(path: str) -> bool:
    return path.endswith("/user") or "/notes" in path
