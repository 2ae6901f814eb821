"""The life of a pull request, on stand-ins of both hosts over real repositories, through the whole engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.reading import Setup
from nthlayer_sync.engine.run import Engine, Request
from nthlayer_sync.model.entity import Entity
from nthlayer_sync.model.plan import Part
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.service import Home
from nthlayer_sync.sdk.files import FileTarget
from nthlayer_sync.sdk.hosting import Hosting, Proposals, Proposed
from nthlayer_sync.sdk.hosting.github import GitHub
from nthlayer_sync.sdk.hosting.gitlab import GitLab
from nthlayer_sync.sdk.http import Manners, Web
from nthlayer_sync.sdk.repositories import Repositories
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.state.sqlite import SqliteStore
from tests.engine.conftest import Notes
from tests.faults.house import CENTRAL, TIERS, House, says, service
from tests.sdk.hosting.stand_in import GitHubStandIn, GitLabStandIn, StandIn, git

BRANCH = "nthlayer-sync"
CLOSED = "declined: #1 closed by ann on 2026-11-22"


@dataclass
class Hosted(House):
    """A house whose repository is on a code host."""

    host: StandIn = field(kw_only=True)
    url: str = ""
    words: dict[str, Any] = field(default_factory=lambda: {"labels": ("operational",)})
    proposals: list[Proposed] = field(default_factory=list)

    def build(self) -> None:
        super().build()
        seed = self.folder / "seed"
        git("clone", "-q", str(self.remote), "seed", cwd=self.folder)
        git("config", "user.name", "Ann", cwd=seed)
        git("config", "user.email", "ann@example.com", cwd=seed)
        self.person({"README.md": "hello\n"})

    def person(self, files: dict[str, str]) -> None:
        """What a person does on the main branch."""
        seed = self.folder / "seed"
        if (self.remote / "refs/heads/main").exists():
            git("pull", "-q", "origin", "main", cwd=seed)
        for path, text in files.items():
            (seed / path).parent.mkdir(parents=True, exist_ok=True)
            (seed / path).write_text(text)
        git("add", "-A", cwd=seed)
        git("commit", "-q", "-m", "by hand", cwd=seed)
        git("push", "-q", "origin", "HEAD:main", cwd=seed)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[Engine]:
        web = Web()
        vendor = GitHub if isinstance(self.host, GitHubStandIn) else GitLab
        tool = web.tool("host", f"{self.url}{self.host.version}", manners=Manners(rate=1e6, tries=1))
        hosting = Hosting(name="git.example.com", host=vendor(tool), **self.words)
        repositories = Repositories(self.folder / "cache", BRANCH, [], instead_of={CENTRAL: str(self.remote)})
        files = FileTarget(repositories, ("Test", "test@example.com"), Proposals([hosting]))
        files.serve(Notes.kinds)
        async with SqliteStore(self.folder / "state.db") as store:
            setup = Setup("acme", TIERS, Home(CENTRAL), code_host="acme")
            generator = Generator([Notes(self.settings, Runtime(files=files))])
            engine = Engine(setup, [self.catalog], generator, store, files=files)
            try:
                yield engine
            finally:
                self.proposals = engine.proposals
                await web.close()

    def says(self, **texts: str) -> None:
        """The services that the catalog shows, with what their files say."""
        team = Entity(
            ref=entity_ref("group", "payments"), kind="Group", name="payments", annotations={}, spec={"type": "team"}
        )
        rows = [service(name, text) for name, text in texts.items()]
        owned = [entity_with_owner(row, "payments") for row in rows]
        self.catalog.said = says([team, *owned])

    async def did(self, request: Request = Request()) -> list[str]:
        """What a run did to pull requests."""
        await self.run(request)
        return [proposed.did for proposed in self.proposals]

    async def reasons(self) -> dict[str, str]:
        """What a plan says, by service, of the whole files."""
        _, changes = await self.plan()
        return {
            name.split()[0]: f"{change.action}: {change.reason}" if change.reason else str(change.action)
            for name, change in changes.items()
            if name.endswith("notes/whole")
        }

    def forget(self) -> None:
        for path in self.folder.glob("state.db*"):
            path.unlink()

    def shows(self, commit: str = BRANCH) -> set[str]:
        """The files that merging it would add."""
        base = git("merge-base", "main", commit, cwd=self.remote)
        return {
            path.removeprefix("default/")
            for path in git("diff", "--name-only", base, commit, cwd=self.remote).splitlines()
        }


def entity_with_owner(entity: Entity, owner: str) -> Entity:
    return msgspec.structs.replace(entity, spec={**entity.spec, "owner": owner})


@pytest.fixture(params=[GitHubStandIn, GitLabStandIn])
async def house(request: pytest.FixtureRequest, tmp_path: Path, shared: Path) -> AsyncIterator[Hosted]:
    host = request.param(tmp_path / "central.git", shared)
    async with TestServer(host.application()) as server:
        house = Hosted(tmp_path, host=host, url=f"http://{server.host}:{server.port}")
        house.build()
        yield house
        assert host.wrong == []


async def test_one_is_opened_and_left_alone(house: Hosted) -> None:
    house.says(a="one", b="two")
    assert await house.did() == ["opened"]
    [pull] = house.host.pulls
    assert pull.title == "nthlayer-sync: 4 added"
    assert pull.labels == ["operational"]
    assert "component:default/a" in pull.body
    assert "+one" in pull.body
    assert (pull.head, pull.base) == (BRANCH, "main")
    assert pull.reviewers == (["acme/payments"] if isinstance(house.host, GitHubStandIn) else [])
    before = list(house.host.log)
    plan, _ = await house.plan()
    assert plan.counts == {}
    assert await house.did() == ["unchanged"]
    assert house.host.log == before


async def test_it_follows_what_is_wanted(house: Hosted) -> None:
    house.says(a="one")
    await house.did()
    first = house.host.pulls[0].body
    house.says(a="one", b="two")
    assert await house.did() == ["updated"]
    [pull] = house.host.pulls
    assert pull.title == "nthlayer-sync: 4 added"
    assert pull.body != first
    house.person({"other.txt": "theirs\n"})
    assert await house.did() == ["unchanged"]


@pytest.mark.parametrize("squash", [False, True])
@pytest.mark.parametrize("branch_too", [False, True])
async def test_merged_is_settled_and_the_next_starts_from_the_base(
    house: Hosted, squash: bool, branch_too: bool
) -> None:
    house.says(a="one")
    await house.did()
    house.host.merge(1, squash=squash, branch_too=branch_too)
    plan, _ = await house.plan()
    assert plan.counts == {}
    assert await house.did() == []
    house.says(a="one", b="two")
    assert await house.did() == ["opened"]
    assert [pull.merged for pull in house.host.pulls] == [True, False]
    assert house.host.pulls[1].title == "nthlayer-sync: 2 added"
    house.host.merge(2, squash=squash, branch_too=branch_too)
    plan, _ = await house.plan()
    assert plan.counts == {}


@pytest.mark.parametrize("branch_too", [False, True])
@pytest.mark.parametrize("forgets", [False, True])
async def test_closed_is_an_answer(house: Hosted, branch_too: bool, forgets: bool) -> None:
    house.says(a="one")
    await house.did()
    house.host.close(1, branch_too=branch_too)
    tip = house.host.tip(BRANCH)
    for _ in range(3):
        if forgets:
            house.forget()
        assert await house.reasons() == {"a": f"keep: {CLOSED}"}
        assert await house.did() == []
    assert await house.did(Request(enforce=True)) == []
    assert len(house.host.pulls) == 1
    assert house.host.tip(BRANCH) == tip

    # Somebody else's change does not bring it back.
    house.says(a="one", b="two")
    assert await house.did() == ["opened"]
    assert house.shows() == {"b/whole.txt", "b/block.md"}
    assert await house.reasons() == {"a": f"keep: {CLOSED}"}
    house.host.merge(2)
    if forgets:
        house.forget()
        await house.run()
    assert await house.reasons() == {"a": f"keep: {CLOSED}"}

    # Something else is wanted: that is proposed.
    house.says(a="another", b="two")
    assert await house.reasons() == {"a": f"create: instead of what was {CLOSED}"}
    assert await house.did() == ["opened"]
    assert house.shows() == {"a/whole.txt"}
    assert await house.reasons() == {}
    house.host.merge(3)
    assert git("show", "main:default/a/whole.txt", cwd=house.remote) == "nthlayer-sync\nanother"


@pytest.mark.parametrize("branch_too", [False, True])
async def test_a_declined_update_leaves_what_stood_there(house: Hosted, branch_too: bool) -> None:
    house.says(a="one")
    await house.did()
    house.host.merge(1)
    house.says(a="two")
    await house.did()
    house.host.close(2, branch_too=branch_too)
    declined = CLOSED.replace("#1", "#2")
    assert await house.reasons() == {"a": f"keep: {declined}"}
    house.says(a="three")
    assert await house.reasons() == {"a": f"update: instead of what was {declined}"}
    house.says(a="one")
    assert await house.reasons() == {"a": "adopt: live already is what we want"}
    house.says(a="two")
    house.person({"default/a/whole.txt": "nthlayer-sync\nby hand\n"})
    assert await house.reasons() == {"a": "keep: drift: it was changed by hand"}


async def test_a_declined_delete_stays(house: Hosted) -> None:
    house.says(a="one", b="two")
    await house.did()
    house.host.merge(1)
    await house.did()
    house.says(b="two")
    gone = Request(gone=frozenset({service("a").ref}), consent=Consent(deletes=9))
    assert await house.did(gone) == ["opened"]
    assert house.host.pulls[1].title == "nthlayer-sync: 2 removed"
    house.host.close(2)
    plan, _ = await house.plan()
    assert plan.writes == 0
    assert git("show", "main:default/a/whole.txt", cwd=house.remote)


async def test_reopened_counts_again(house: Hosted) -> None:
    house.says(a="one")
    await house.did()
    house.host.close(1, branch_too=True)
    assert await house.reasons() == {"a": f"keep: {CLOSED}"}
    house.host.reopen(1)
    assert await house.reasons() == {}
    assert await house.did() == ["unchanged"]


async def test_an_older_one_that_is_reopened_counts(house: Hosted) -> None:
    house.says(a="one")
    await house.did()
    house.host.close(1, branch_too=True)
    house.says(a="two")
    assert await house.did() == ["opened"]
    house.host.close(2, branch_too=True)
    house.host.reopen(1)
    house.says(a="one")
    assert await house.reasons() == {"a": "adopt: live already is what we want"}
    assert await house.did() == ["unchanged"]
    assert await house.reasons() == {}


async def test_a_plan_file_is_applied_to_what_people_left(house: Hosted) -> None:
    house.says(a="one")
    await house.did()
    house.host.merge(1)
    house.says(a="two")
    await house.did()
    house.host.close(2)
    house.says(a="one")
    async with house.engine() as engine:
        plan = await engine.plan()
        parts = [part async for part in engine.store.parts(plan.id)]

    async def stream() -> AsyncIterator[Part]:
        for part in parts:
            yield part

    async with house.engine() as engine:
        await engine.read()
        results = await engine.apply(plan, stream())
    assert {str(result.outcome) for result in results} == {"unchanged"}
    assert (await house.plan())[0].counts == {}


async def test_closed_after_the_plan_is_heeded(house: Hosted) -> None:
    house.says(a="one")
    await house.did()
    house.says(a="two", b="new")
    async with house.engine() as engine:
        plan = await engine.plan()
        house.host.close(1)
        results = await engine.apply(plan, engine.store.parts(plan.id))
    assert {result.id.subject[-1]: str(result.outcome) for result in results} == {"a": "failed", "b": "done"}
    assert all("plan again" in result.reason for result in results if result.outcome == "failed")
    assert house.shows() == {"b/whole.txt", "b/block.md"}
    assert await house.did() == ["updated"]
    assert house.shows() == {"a/whole.txt", "b/whole.txt", "b/block.md"}


async def test_undo_closes_it_and_is_no_answer(house: Hosted) -> None:
    house.says(a="one")
    plan, _ = await house.run()
    async with house.engine() as engine:
        await engine.undo(plan.id)
    assert [proposed.did for proposed in house.proposals] == ["closed"]
    assert house.host.pulls[0].state == "closed"
    assert await house.did() == ["opened"]
    assert len(house.host.pulls) == 2
    assert house.shows() == {"a/whole.txt", "a/block.md"}


@pytest.mark.parametrize("when", ["before", "after"])
async def test_a_lost_answer_makes_no_second_one(house: Hosted, when: str) -> None:
    def cut(request: web.Request) -> web.Response | None:
        if request.method != "POST" or not request.path.endswith(("pulls", "merge_requests")):
            return None
        assert request.transport
        request.transport.abort()
        return web.Response(status=500)

    house.says(a="one")
    setattr(house.host, "fault" if when == "before" else "after", cut)
    assert await house.did() == ["failed" if when == "before" else "opened"]
    house.host.fault = house.host.after = lambda request: None
    assert await house.did() == ["opened" if when == "before" else "unchanged"]
    assert len(house.host.pulls) == 1
    assert house.host.pulls[0].state == "open"


@pytest.mark.parametrize("status", [401, 404, 500, 503])
async def test_a_host_that_cannot_be_asked_stops_its_repositories_only(house: Hosted, status: int) -> None:
    house.says(a="one")
    house.host.fault = lambda request: web.Response(status=status)
    _, changes = await house.plan()
    assert {str(change.action) for change in changes.values()} == {"refuse"}
    assert all("host: GET" in change.reason for change in changes.values())
    house.host.fault = lambda request: None
    assert await house.did() == ["opened"]


async def test_a_push_without_its_request_is_made_good_by_the_next_apply(house: Hosted) -> None:
    house.says(a="one")
    house.host.fault = lambda request: web.Response(status=500) if request.method == "POST" else None
    _, results = await house.run()
    assert {str(result.outcome) for result in results} == {"done"}
    assert [proposed.did for proposed in house.proposals] == ["failed"]
    house.host.fault = lambda request: None
    plan, _ = await house.plan()
    assert plan.counts == {}
    assert await house.did() == ["opened"]


async def test_unknown_reviewers_and_refused_labels_stop_nothing(house: Hosted) -> None:
    def refuses_labels(request: web.Request) -> web.Response | None:
        return web.Response(status=403) if request.path.endswith("/labels") else None

    house.host.fault = refuses_labels
    rows = [entity_with_owner(service("a"), "user:ann"), entity_with_owner(service("b"), "group:nobody")]
    user = Entity(
        ref=entity_ref("user", "ann"), kind="User", name="ann", annotations={"github.com/user-login": "ann"}, spec={}
    )
    nobody = Entity(ref=entity_ref("group", "nobody"), kind="Group", name="nobody", annotations={}, spec={})
    house.catalog.said = says([user, nobody, *rows])
    assert await house.did() == ["opened"]
    assert house.host.pulls[0].reviewers == ["ann"]


async def test_labels_of_people_stay_and_ours_come_back(house: Hosted) -> None:
    house.says(a="one")
    await house.did()
    house.host.pulls[0].labels[:] = ["by hand"]
    assert await house.did() == ["updated"]
    assert house.host.pulls[0].labels == ["by hand", "operational"]


@pytest.mark.parametrize("words", [{"land": "commit"}, {"repositories": {"acme/central": "commit"}}])
async def test_commit_leaves_it_at_the_commit(house: Hosted, words: dict[str, Any]) -> None:
    house.words = words
    house.says(a="one")
    assert await house.did() == []
    assert house.host.asked == 0
    assert house.shows() == {"a/whole.txt", "a/block.md"}
    assert (await house.plan())[0].counts == {}


async def test_a_draft_stays_what_people_made_of_it(house: Hosted) -> None:
    house.words = {"draft": True}
    house.says(a="one")
    await house.did()
    assert house.host.pulls[0].draft
    house.host.pulls[0].draft = False
    house.says(a="two")
    assert await house.did() == ["updated"]
    assert not house.host.pulls[0].draft
    assert not house.host.pulls[0].title.startswith("Draft")


async def test_a_conflict_with_the_base_is_made_anew_in_the_same_request(house: Hosted) -> None:
    house.person({"default/a/block.md": "one\ntwo\n"})
    house.says(a="one")
    await house.did()
    house.person({"default/a/block.md": "one\ntwo\nthree\n"})
    assert await house.did() == ["updated"]
    assert len(house.host.pulls) == 1
    house.host.merge(1)
    assert (await house.plan())[0].counts == {}


async def test_nothing_is_proposed_of_a_push_that_was_refused(house: Hosted) -> None:
    hook = house.remote / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'not on a Friday' >&2\nexit 1\n")
    hook.chmod(0o755)
    house.says(a="one")
    _, results = await house.run()
    assert all("not on a Friday" in result.reason for result in results)
    assert (house.proposals, house.host.pulls) == ([], [])
    hook.unlink()
    assert await house.did() == ["opened"]
