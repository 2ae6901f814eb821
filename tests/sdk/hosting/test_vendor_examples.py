"""GitHub's own examples of answers are understood, also where they say less than usual."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.hosting.github import GitHub
from nthlayer_sync.sdk.hosting.github_reviews import GitHubReviews
from nthlayer_sync.sdk.hosting.gitlab import GitLab
from nthlayer_sync.sdk.hosting.gitlab_reviews import GitLabReviews
from nthlayer_sync.sdk.hosting.host import Branches, Proposal, PullRequest, State
from nthlayer_sync.sdk.hosting.reviews import Request, Verdict
from nthlayer_sync.sdk.http import Manners, Web

WHERE = Branches("octocat/Hello-World", "nthlayer-sync", "main")
MERGE = {"iid": 3, "web_url": "https://gitlab.example.com/x/3", "state": "locked", "title": "x"}


async def asked(answer: Any, ask: Any, vendor: Any = GitHub) -> Any:
    """What comes of `ask` when every request has this answer."""

    async def serve(_: web.Request) -> web.Response:
        return web.json_response(answer)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", serve)
    connections = Web()
    async with TestServer(application) as server:
        try:
            tool = connections.tool("host", f"http://{server.host}:{server.port}", manners=Manners(rate=1e6, tries=1))
            return await ask(vendor(tool))
        finally:
            await connections.close()


@pytest.fixture(scope="module")
def examples(shared: Path) -> dict[str, Any]:
    spec = json.loads(gzip.decompress((shared / "specs/api/github/rest.openapi3.json.gz").read_bytes()))
    return {name: example["value"] for name, example in spec["components"]["examples"].items()}


async def test_a_list(examples: dict[str, Any]) -> None:
    [found] = await asked(examples["pull-request-simple-items"], lambda host: host.find(WHERE))
    assert found.number == 1347
    assert found.url == "https://github.com/octocat/Hello-World/pull/1347"
    assert found.head == "6dcb09b5b57875f334f61aebed695e2e4193db5e"
    assert found.ref == "refs/pull/1347/head"
    assert found.labels == {"bug"}
    assert found.closed_on == "2011-01-26"


async def test_one_from_a_fork_is_not_ours(examples: dict[str, Any]) -> None:
    rows = json.loads(json.dumps(examples["pull-request-simple-items"]))
    rows[0]["head"]["repo"]["full_name"] = "mallory/Hello-World"
    rows.append({**rows[0], "head": {**rows[0]["head"], "repo": None}})
    assert await asked(rows, lambda host: host.find(WHERE)) == []


async def test_one_that_was_opened(examples: dict[str, Any]) -> None:
    proposal = Proposal(title="t", body="b")
    found = await asked(examples["pull-request"], lambda host: host.open(WHERE, proposal))
    assert found.state is State.OPEN


async def test_who_closed_it(examples: dict[str, Any]) -> None:
    request = PullRequest(number=1347, url="", state=State.CLOSED, head="", ref="")
    found = await asked({**examples["issue"], "closed_by": {"login": "ann"}}, lambda host: host.look(WHERE, request))
    assert found.declined == "declined: #1347 closed by ann"
    assert (await asked({"closed_by": None}, lambda host: host.look(WHERE, request))).declined.endswith("closed")


async def test_a_merge_request_that_says_little() -> None:
    [found] = await asked([MERGE], lambda host: host.find(WHERE), GitLab)
    assert (found.state, found.body, found.head) == (State.OPEN, "", "")
    fork = {**MERGE, "source_project_id": 1, "target_project_id": 2}
    assert await asked([fork], lambda host: host.find(WHERE), GitLab) == []


REQUEST = Request(number=1347, url="", open=True, into_default=True, head="6dcb09b5b57875f334f61aebed695e2e4193db5e")
SLUG = WHERE.slug


async def test_a_request_of_people(examples: dict[str, Any]) -> None:
    found = await asked(examples["pull-request"], lambda host: host.request(SLUG, 1347), GitHubReviews)
    assert (found.number, found.open, found.into_default, found.conflicts) == (1347, True, True, False)
    assert found.head == "6dcb09b5b57875f334f61aebed695e2e4193db5e"
    assert found.merged == "e5bd3914e2e596debea16f433f57875b5b90bcd6"
    untried = {**examples["pull-request"], "mergeable": None}
    assert (await asked(untried, lambda host: host.request(SLUG, 1347), GitHubReviews)).merged == ""


async def test_the_files_of_a_request(examples: dict[str, Any]) -> None:
    rows = examples["diff-entry-items"]
    renamed = {**rows[0], "filename": "new", "previous_filename": "old", "status": "renamed"}
    gone = {**rows[0], "filename": "gone", "status": "removed"}
    found = await asked([*rows, renamed, gone], lambda host: host.touched(SLUG, REQUEST), GitHubReviews)
    assert found.files == {"file1.txt": True, "old": False, "new": True, "gone": False}
    assert found.whole
    many = [{**rows[0], "filename": str(n)} for n in range(100)]
    assert not (await asked(many, lambda host: host.touched(SLUG, REQUEST), GitHubReviews)).whole


async def test_what_a_check_says(examples: dict[str, Any]) -> None:
    runs = examples["check-run-paginated"]
    said = await asked(runs, lambda host: host.verdict(SLUG, REQUEST), GitHubReviews)
    assert said == Verdict(runs["check_runs"][0]["conclusion"] == "success", runs["check_runs"][0]["output"]["title"])


async def test_a_merge_request_of_people_that_says_little() -> None:
    row = {**MERGE, "target_branch": "main", "default_branch": "main", "commit_id": "c"}
    found = await asked(row, lambda host: host.request(SLUG, 3), GitLabReviews)
    assert (found.number, found.open, found.into_default, found.head, found.merged) == (3, True, True, "", "c")
    assert await asked([], lambda host: host.verdict(SLUG, REQUEST), GitLabReviews) is None


@pytest.mark.parametrize("vendor", [GitHub, GitLab])
async def test_an_answer_of_another_shape_is_said_so(vendor: Any) -> None:
    with pytest.raises(PermanentError, match="not as expected"):
        await asked({"message": "hello"}, lambda host: host.find(WHERE), vendor)
