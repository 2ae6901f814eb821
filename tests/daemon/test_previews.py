"""What is said on a request before it is merged: exactly what follows from merging it, once, and nothing foreign."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from markdown_it import MarkdownIt

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.sdk.hosting.markup import LARGEST
from nthlayer_sync.sdk.plugin import PluginSettings
from tests.daemon.preview_house import MARKER, START, TEAM, House, at, blueprint, changes, entity, told
from tests.sdk.hosting.review_stand_in import MALLORY, GitHubAppReviewed, GitHubReviewed, GitLabReviewed, Reviewed
from tests.sdk.hosting.stand_in import git

ONE_HOST = pytest.mark.parametrize("house", [GitHubReviewed], indirect=True)
"""For what has to do with text alone."""

EDITS: dict[str, dict[str, str | None]] = {
    "tier": {at("b"): entity("b", tier="1")},
    "text": {at("a"): entity("a", tier="", needs="b", text="other")},
    "new": {at("d"): entity("d", needs="a")},
    "removed": {at("c"): None},
    "moved": {at("c"): None, at("e"): entity("c", needs="a", text="moved")},
    "renamed": {at("c"): entity("cc", needs="a")},
    "broken": {at("b"): "metadata: [\n"},
    "refused": {at("b"): entity("b").replace("name: b", "name: -b-")},
    "no tier": {at("b"): entity("b", tier="99")},
    "unmanaged": {at("b"): entity("b", tier="")},
    "bad": {at("b"): entity("b", text="bad")},
    "paused": {at("b"): entity("b", tier="1", more="    nthlayer.dev/paused: for a while\n")},
    "blueprint gone": {"services/a/nthlayer.yaml": None},
    "blueprint": {"services/a/nthlayer.yaml": blueprint("2")},
    "named": {
        at("a"): entity("a", tier="", more="    nthlayer.dev/blueprint: ./own.yaml\n"),
        "services/a/own.yaml": blueprint("1"),
    },
    "location": {
        "catalog-info.yaml": TEAM + "---\napiVersion: backstage.io/v1alpha1\nkind: Location\nmetadata: {name: more}\n"
        "spec: {targets: [./more/x.yaml]}\n",
        "more/x.yaml": entity("x"),
    },
    "several": {
        at("a"): entity("a", text="one"), at("b"): entity("b", tier="2"), at("c"): None, at("d"): entity("d"),
        "README.md": "other\n",
    },
}  # fmt: skip
WRONG = {"broken", "refused", "no tier"}


@pytest.fixture(params=[GitHubReviewed, GitLabReviewed])
async def house(request: pytest.FixtureRequest, tmp_path: Path, shared: Path) -> AsyncIterator[House]:
    host: Reviewed = request.param(tmp_path / "central.git", shared)
    async with TestServer(host.application()) as server:
        house = House(tmp_path, host, f"http://{server.host}:{server.port}")
        house.build()
        yield house
        assert host.wrong == []


@pytest.mark.parametrize("edit", EDITS)
async def test_the_comment_is_the_plan_that_follows_from_the_merge(house: House, edit: str) -> None:
    await house.settle()
    assert await house.planned() == []
    number = house.host.propose(EDITS[edit])
    await house.preview(number)
    comment = house.comment(number)
    passed, sentence = house.check(number) or (None, "")
    assert passed == (edit not in WRONG), (sentence, comment)
    assert await house.planned() == []  # nothing was remembered
    house.host.merge(number)
    parts = await house.planned()
    assert told(comment) == changes(parts), comment
    assert bool(parts) == (edit not in WRONG | {"removed"} or edit == "no tier"), (edit, parts)


async def test_a_repeated_preview_only_reads(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["tier"])
    await house.preview(number)
    log = list(house.host.log)
    async with house.engine() as (engine, store):
        await engine.read()
        async with house.previews(engine, store) as previews:
            for _ in range(3):
                await previews.preview(f"git.example.com/acme/central#{number}")
    assert house.host.log == log
    assert len(house.host.comments[number]) == 1


@ONE_HOST
async def test_one_process_sees_request_after_request(house: House) -> None:
    """What one request supposes is gone when the next is looked at, and when the catalog itself moves."""
    await house.settle()
    async with house.engine() as (engine, store):
        await engine.read()
        before = dict(engine.graph.entities)
        async with house.previews(engine, store) as previews:
            edits = ("tier", "new", "removed", "broken", "blueprint", "several")
            numbers = [house.host.propose(EDITS[edit]) for edit in edits]
            for number in (*numbers, *reversed(numbers)):
                await previews.preview(f"git.example.com/acme/central#{number}")
            texts = [house.comment(number) for number in numbers]
            assert engine.graph.entities == before
    assert await house.planned() == []
    for number, text in zip(numbers, texts, strict=True):
        await house.preview(number)
        assert house.comment(number) == text


async def test_the_comment_follows_the_request(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["tier"])
    await house.preview(number)
    first = house.comment(number)
    assert "`component:default/b`: `3` → `1`" in first
    house.host.push(number, EDITS["broken"])
    await house.preview(number)
    assert "put right first" in house.comment(number)
    assert "`services/b/catalog-info.yaml:" in house.comment(number)
    assert house.check(number)[0] is False
    house.host.push(number, {at("b"): START[at("b")]})
    await house.preview(number)
    assert "Nothing any more" in house.comment(number)
    assert house.check(number)[0] is True


@pytest.mark.parametrize("house", [GitHubAppReviewed], indirect=True)
async def test_an_app_makes_check_runs(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["broken"])
    await house.preview(number)
    await house.preview(number)
    assert house.check(number)[0] is False
    [run] = house.host.checks[house.host.pulls[0].sha]
    assert run["output"]["summary"].startswith("`services/b/catalog-info.yaml:")
    assert len(house.host.comments[number]) == 1


async def test_a_request_that_touches_nothing_has_a_check_and_no_comment(house: House) -> None:
    await house.settle()
    number = house.host.propose({"README.md": "more\n"})
    await house.preview(number)
    assert number not in house.host.comments
    assert house.check(number) == (True, "What the catalog shows stays as it is.")


@pytest.mark.parametrize("why", ["closed", "merged", "another branch", "another repository"])
async def test_who_is_left_alone(house: House, why: str) -> None:
    await house.settle()
    git("update-ref", "refs/heads/other", "refs/heads/main", cwd=house.host.remote)
    number = house.host.propose(EDITS["tier"], base="other" if why == "another branch" else "main")
    if why == "closed":
        house.host.close(number)
    if why == "merged":
        house.host.merge(number)
    await house.preview(number, "acme/shop" if why == "another repository" else "acme/central")
    assert house.host.log == []


async def test_what_was_merged_meanwhile_is_not_the_request_s(house: House) -> None:
    """The base moved in the same file: what counts is what the merge makes, and only what this request changes."""
    long = entity("b", text="hello").replace("  lifecycle: production\n", "  lifecycle: production\n" + "  # -\n" * 9)
    git("update-ref", "refs/heads/main", house.host.commit("main", {at("b"): long}), cwd=house.host.remote)
    await house.settle()
    other = house.host.propose({at("b"): long.replace("hello", "merged")})
    number = house.host.propose({at("b"): long + "  dependsOn: [component:c]\n"})
    house.host.merge(other)
    await house.settle()
    await house.preview(number)
    assert told(house.comment(number)) == {("component:default/b", "update", "notes/needed")}


async def test_a_conflict_is_said(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["tier"])
    house.host.merge(house.host.propose({at("b"): entity("b", tier="2")}))
    await house.preview(number)
    assert "It conflicts with the branch" in house.comment(number)


async def test_what_waits_is_said(house: House) -> None:
    house.settings = PluginSettings(policy="propose")
    async with house.engine() as (engine, _):
        plan = await engine.plan()
        await engine.apply(plan, engine.store.parts(plan.id))
    number = house.host.propose(EDITS["text"])
    await house.preview(number)
    assert "1 config for `approval of group:default/payments`" in house.comment(number)
    assert "+other" in house.comment(number)
    assert "-hello" in house.comment(number)


@ONE_HOST
async def test_what_a_guard_would_stop_is_said(house: House) -> None:
    many = "---\n".join(entity(f"s{n}") for n in range(250))
    git("update-ref", "refs/heads/main", house.host.commit("main", {at("s"): many}), cwd=house.host.remote)
    await house.settle()
    number = house.host.propose({at("s"): many.replace("hello", "other")})
    await house.preview(number)
    assert "250 configs for `guard updates: 250 updates of the" in house.comment(number)
    assert house.check(number)[0] is True


@ONE_HOST
async def test_lists_are_cut(house: House) -> None:
    """However long what is wrong is, and however many backquotes it takes to quote it."""
    await house.settle()
    wrong = [entity(f"w{n}").replace("'3'", '"' + "`" * 250 + f'{n}"') for n in range(100)]
    missing = [entity(f"w{n}").replace("payments", '"' + "`" * 250 + f'{n}"') for n in range(100, 200)]
    number = house.host.propose({at("w"): "---\n".join((*wrong, *missing)), at("c"): None})
    await house.preview(number)
    comment = house.comment(number)
    assert len(comment) <= LARGEST
    assert re.search(r"\n- and \d+ more\n", comment)
    assert "nothing is written before the merge" in comment


async def test_a_copied_marker_is_not_ours(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["tier"])
    house.host.say(number, f"{MARKER}\nall is well", MALLORY)
    for n in range(150):
        house.host.say(number, f"talk {n}", MALLORY)
    await house.preview(number)
    await house.preview(number)
    assert house.host.comments[number][0].body.endswith("all is well")
    assert [said.by for said in house.host.comments[number][151:]] == ["nthlayer-bot"]


async def test_a_host_that_is_down_is_asked_again_later(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["tier"])
    github = isinstance(house.host, GitHubReviewed)
    for path in ("contents", "files", "comments") if github else ("raw", "diffs", "notes"):
        house.host.fault = lambda request, path=path: (
            web.Response(status=503) if path in request.path.split("/") else None
        )
        with pytest.raises(TemporaryError, match="503"):
            await house.preview(number)
        assert number not in house.host.comments
        assert house.check(number) is None
    house.host.fault = lambda request: None
    await house.preview(number)
    assert told(house.comment(number))


async def test_what_cannot_be_read_fails_the_check(house: House) -> None:
    await house.settle()
    number = house.host.propose(EDITS["tier"])
    house.host.fault = lambda request: (
        web.json_response({"message": "no"}, status=403) if {"contents", "raw"} & set(request.path.split("/")) else None
    )
    await house.preview(number)
    passed, sentence = house.check(number)
    assert passed is False
    assert "403" in sentence
    assert "That cannot be told" in house.comment(number)


@ONE_HOST
async def test_a_big_plan_is_cut(house: House) -> None:
    await house.settle()
    text = "---\n".join(entity(f"s{n:04}", text=f"'{'x' * 300}'") for n in range(900))
    number = house.host.propose({"many/catalog-info.yaml": text})
    await house.preview(number)
    comment = house.comment(number)
    assert len(comment) <= LARGEST
    assert "1,800 to create, 1 to update" in comment
    assert re.search(r"And [\d,]+ more entities, which there is no room for here", comment)
    assert "](http://127.0.0.1:8080/)" in comment
    assert comment.count("<details>") == comment.count("</details>")


async def test_too_many_files_of_the_catalog_are_refused(house: House) -> None:
    await house.settle()
    number = house.host.propose({at(f"s{n}"): entity(f"s{n}") for n in range(301)})
    await house.preview(number)
    assert house.check(number) == (False, "it changes more than 300 files of the catalog: split it")


@pytest.mark.parametrize("key", ["", "git.example.com", "elsewhere.example/acme/x#1", "git.example.com/acme/x#y"])
async def test_what_is_no_request(house: House, key: str) -> None:
    async with house.engine() as (engine, store), house.previews(engine, store) as previews:
        with pytest.raises(PermanentError, match="is no request"):
            await previews.preview(key)


SIGNS = (
    "@acme/everyone", "`@acme`", "``` @x ```", "<script>alert(1)</script>", "</code></p></details>@x", "fixes #1",
    "acme/other#12", "/merge", "![x](https://evil.example/x.png)", "[x](javascript:alert(1))", "`````@x",
    "~~~@x", "\u202e@x", "-->@x<!--", "&#64;x", "https://evil.example", "\u2028@x", "<img src=//evil.example>",
    "| @x | x |", "<!-- nthlayer-sync preview of acme -->", "$evil$", ":evil:", "<a href=https://evil.example>",
    "\t@x", "[evil]: https://evil.example", "www.evil.example", "evil@evil.example",
)  # fmt: skip
HOSTILE = [f"{before}{sign}{after}" for before in ("", "`", "a ", "``") for sign in SIGNS for after in ("", "`", " `")]


def prose(comment: str) -> str:
    """What hosts look for mentions, references and links in: the text outside of code."""
    html = MarkdownIt("commonmark", {"html": True}).enable("table").render(comment)
    assert html.count("<details>") == html.count("</details>") == comment.count("<details>")
    without = re.sub(r"<(code|pre)[^>]*>.*?</\1>", "", html.replace(MARKER, "", 1), flags=re.DOTALL)
    link = '<a href="http://127.0.0.1:8080/">More about every entity</a>'
    assert without.count(link) <= 1
    without = without.replace(link, "")
    allowed = r"<(?!/?(p|ul|li|h3|h4|hr|details|summary|br|strong|table|thead|tbody|tr|th|td)\b)"
    assert not re.search(allowed, without), without
    return without


@ONE_HOST
async def test_300_hostile_values_of_a_fork(house: House) -> None:
    """Whatever a stranger writes stands in code: it mentions nobody, links nowhere and shows no picture."""
    assert len(HOSTILE) >= 300
    await house.settle()
    async with house.engine() as (engine, store):
        await engine.read()
        async with house.previews(engine, store) as previews:
            for start in range(0, len(HOSTILE), 25):
                values = list(enumerate(map(quoted, HOSTILE[start : start + 25])))
                texts = {
                    "h": [entity(f"h{n}", text=value) for n, value in values],  # in a config
                    "t": [entity(f"t{n}").replace("'3'", value) for n, value in values],  # in an error
                    "p": [entity(f"p{n}", more=f"    nthlayer.dev/paused: {value}\n") for n, value in values],
                    "o": [entity(f"o{n}").replace("owner: payments", f"owner: {value}") for n, value in values],
                    "k": [entity(f"k{n}").replace("name: k", f"{value}: k") for n, value in values],
                }
                number = house.host.propose({at(key): "---\n".join(each) for key, each in texts.items()}, fork=True)
                await previews.preview(f"git.example.com/acme/central#{number}")
                assert house.comment(number).count("evil") + house.comment(number).count("@") > 25
                said = prose(house.comment(number))
                for sign in ("@", "#1", "evil", "alert", "/merge", "acme", "&amp;#64;"):
                    assert sign not in said, said
                assert not re.search(r"(?m)^\s*/", house.comment(number))
                assert house.check(number)[0] is False


@ONE_HOST
@pytest.mark.parametrize("name", ["`@x`", "@acme", "![x](y)", "<b>", "a|b", "#1", "x y"])
async def test_hostile_names_of_files(house: House, name: str) -> None:
    await house.settle()
    number = house.host.propose({f"services/{name}/catalog-info.yaml": "kind: [\n"}, fork=True)
    await house.preview(number)
    said = prose(house.comment(number))
    assert not re.search(r"@|#1|<b>|!\[", said), said
    assert house.check(number)[0] is False


def quoted(value: str) -> str:
    """As YAML writes it."""
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\t", "\\t")
    return '"' + escaped.replace("\u202e", "\\u202e").replace("\u2028", "\\u2028") + '"'
