"""What is seen of a remote: listings, contents, history, and a mirror that survives what happens to it."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.git import Repository, blob_sha
from nthlayer_sync.git.objects import LARGEST, pack

if TYPE_CHECKING:
    from conftest import Remote

See = Callable[..., Repository]
WHO = ("Robot", "robot@example.org")
OURS = "nthlayer/sync"


async def publish(repository: Repository, files: dict[str, bytes | None]) -> str:
    done = await repository.commit(files, "ours", author=WHO, expect=await repository.tree())
    return done.tree


async def content(repository: Repository) -> dict[str, bytes]:
    listing = await repository.listing(await repository.tree())
    blobs = await repository.blobs(listing.values())
    return {path: blobs[sha] for path, sha in listing.items()}


async def test_empty_remote(remote: Remote, see: See) -> None:
    ours = see()
    assert (await ours.tree(), await ours.default_branch(), await ours.head(), await ours.authors()) == (
        "",
        "",
        None,
        [],
    )
    assert await ours.file("a") is None
    assert await ours.listing("") == {}
    await publish(ours, {"a": b"1"})
    assert remote.count(OURS) == 1
    again = see("other")
    assert await content(again) == {"a": b"1"}
    assert await again.default_branch() == ""


async def test_default_branch_is_found(remote: Remote, see: See) -> None:
    remote.person({"x": b"1"}, branch="trunk/one")
    remote("symbolic-ref", "HEAD", "refs/heads/trunk/one", at=remote.bare)
    assert await see().default_branch() == "trunk/one"


async def test_missing_base(started: Remote, see: See) -> None:
    with pytest.raises(PermanentError, match="has no branch 'release'"):
        await see(base="release").tree()
    started("symbolic-ref", "HEAD", "refs/heads/nothing", at=started.bare)
    with pytest.raises(PermanentError, match="name the base branch"):
        await see().tree()
    assert await see(base="main").file("README.md") == b"hello\n"


async def test_reading(started: Remote, see: See) -> None:
    ours = see()
    tree = await ours.tree()
    assert tree == started("rev-parse", "main^{tree}")
    listing = await ours.listing(tree)
    assert listing == {"README.md": blob_sha(b"hello\n"), "docs/a.md": blob_sha(b"a\n"), "docs/b.md": blob_sha(b"b\n")}
    assert await ours.listing(tree, ["docs/b.md", "docs", "docs/none", "none/x", "README.md/x", ""]) == {
        "docs/b.md": blob_sha(b"b\n")
    }
    assert await ours.blobs([]) == {}
    with pytest.raises(PermanentError, match="expected a blob"):
        await ours.blobs([tree])


async def test_links_are_no_files(started: Remote, see: See) -> None:
    (started.work / "link").symlink_to("README.md")
    (started.work / "folder").symlink_to("docs")
    started("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    started("add", "link", "folder")
    started("commit", "-qm", "links")
    started("push", "-q", "origin", "main")
    ours = see()
    assert set(await ours.listing(await ours.tree())) == {"README.md", "docs/a.md", "docs/b.md"}
    assert await ours.file("link") is None
    assert await ours.file("folder/a.md") is None
    for path in ("link", "folder/new.md", "module/x", "folder"):
        with pytest.raises(PermanentError, match="cannot"):
            await publish(ours, {path: b"x"})
    assert not started.has(OURS)


async def test_moved(started: Remote, see: See) -> None:
    ours = see()
    old = await ours.tree()
    (started.work / "run").symlink_to("x")
    started.person({"docs/a.md": b"new\n", "docs/b.md": None, "é ü.md": b"u"})
    await ours.fetch()
    new = await ours.tree()
    assert await ours.moved(old, new) == {"docs/a.md": blob_sha(b"new\n"), "docs/b.md": None, "é ü.md": blob_sha(b"u")}
    assert await ours.moved(new, new) == {}
    assert await ours.moved("", new) == await ours.listing(new)
    assert await ours.moved(new, "") == dict.fromkeys(await ours.listing(new))


async def test_history(started: Remote, see: See) -> None:
    started.environment |= {"GIT_AUTHOR_NAME": "Bo", "GIT_AUTHOR_EMAIL": "bo@example.org"}
    sha = started.person({"docs/a.md": b"2"})
    ours = see()
    head = await ours.head()
    assert head
    assert (head.sha, head.name, head.email) == (sha, "Bo", "bo@example.org")
    assert head.time.timestamp() == int(started("show", "-s", "--format=%ct"))
    assert [(author.name, author.commits) for author in await ours.authors("docs")] == [("Ann", 1), ("Bo", 1)]
    assert [author.email for author in await ours.authors("README.md")] == ["ann@example.org"]
    assert await ours.authors("-n1") == []
    assert len(await ours.authors(limit=1)) == 1


async def test_not_there(see: See, tmp_path: Path) -> None:
    nowhere = Repository(str(tmp_path / "nowhere.git"), tmp_path / "m", branch=OURS, protocols={"file"})
    with pytest.raises(PermanentError, match="does not appear to be a git repository"):
        await nowhere.tree()


async def test_unreachable(tmp_path: Path, unused_tcp_port: int) -> None:
    url = f"http://bot:hunter2@127.0.0.1:{unused_tcp_port}/a.git"
    with pytest.raises(TemporaryError, match=r"Failed to connect|Connection refused") as caught:
        await Repository(url, tmp_path / "m", branch=OURS, protocols={"http"}).tree()
    assert "hunter2" not in str(caught.value)


async def test_damaged_mirror_is_fetched_again(started: Remote, see: See, tmp_path: Path) -> None:
    ours = see()
    tree = await ours.tree()
    for file in (tmp_path / "cache/mirror/objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"rubbish")
    with pytest.raises(TemporaryError):
        await ours.listing(tree)
    assert len(await ours.listing(await ours.tree())) == 3
    (tmp_path / "cache/mirror/HEAD").unlink()
    await ours.fetch()
    assert len(await ours.listing(await ours.tree())) == 3


async def test_leftovers_do_not_disturb(started: Remote, see: See, tmp_path: Path) -> None:
    ours, mirror = see(), tmp_path / "cache/mirror"
    await ours.fetch()
    for name in ("refs/remotes/origin/main.lock", "packed-refs.lock", "HEAD.lock", "config.lock"):
        (mirror / name).touch()
    started.person({"later": b"1"})
    await ours.fetch()
    await publish(ours, {"new": b"1"})
    assert await ours.file("later") == b"1"
    assert not list(mirror.rglob("*.lock"))


async def test_mirror_of_another_remote_is_replaced(started: Remote, see: See, tmp_path: Path) -> None:
    await see().fetch()
    second = tmp_path / "second.git"
    started("init", "-q", "--bare", "-b", "main", str(second))
    other = Repository(str(second), tmp_path / "cache/mirror", branch=OURS, protocols={"file"})
    assert await other.tree() == ""
    assert await see().file("README.md") == b"hello\n"


async def test_mirror_has_one_writer(started: Remote, see: See) -> None:
    many = [see(branch=f"ours/{number}") for number in range(6)]
    trees = await asyncio.gather(*(each.tree() for each in many))
    assert len(set(trees)) == 1
    await asyncio.gather(*(publish(each, {f"f{number}": b"1"}) for number, each in enumerate(many)))
    for number in range(6):
        assert started.show(f"ours/{number}", f"f{number}") == b"1"


async def test_nothing_is_taken_from_the_environment(
    started: Remote, see: See, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = tmp_path / "gitconfig"
    config.write_text(f'[core]\n\thooksPath = {tmp_path}\n[url "/nowhere"]\n\tinsteadOf = {started.bare}\n')
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(config))
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    monkeypatch.setenv("GIT_INDEX_FILE", "/nowhere")
    monkeypatch.setenv("GIT_TRACE", str(tmp_path / "trace"))
    await publish(see(), {"new": b"1"})
    assert not (tmp_path / "trace").exists()


async def test_damaged_remote(started: Remote, see: See) -> None:
    for file in (started.bare / "objects").rglob("*"):
        if file.is_file():
            file.chmod(0o600)
            file.write_bytes(b"rubbish")
    with pytest.raises((PermanentError, TemporaryError)):
        await see().tree()


def add_packs(mirror: Path, number: int) -> None:
    for each in range(number):
        data = pack([("blob", b"%d" % each)])
        subprocess.run(["git", "index-pack", "--stdin"], cwd=mirror, input=data, check=True, capture_output=True)


async def test_packs_are_gathered(started: Remote, see: See, tmp_path: Path) -> None:
    ours = see()
    await publish(ours, {"new": b"1"})
    mirror = tmp_path / "cache/mirror"
    add_packs(mirror, 260)
    await ours.fetch()
    assert len(list((mirror / "objects/pack").glob("*.pack"))) < 5
    assert await ours.file("new") == b"1"


async def test_cache_cannot_be_written(started: Remote, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file")
    ours = Repository(str(started.bare), tmp_path / "cache/mirror", branch=OURS, protocols={"file"})
    with pytest.raises(PermanentError, match="cannot be used"):
        await ours.tree()


@pytest.mark.parametrize(("script", "message"), [(None, "not found"), ("echo git version 2.30.2", "too old")])
async def test_no_fit_git(
    see: See, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str | None, message: str
) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    if script:
        (folder / "git").write_text(f"#!/bin/sh\n{script}\n")
        (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    with pytest.raises(PermanentError, match=message):
        await see().tree()


async def test_huge_file_is_not_read(started: Remote, see: See) -> None:
    started.person({"huge": bytes(LARGEST + 1), "large": bytes(LARGEST)})
    ours = see()
    assert len(await ours.file("large") or b"") == LARGEST
    with pytest.raises(PermanentError, match=f"at most {LARGEST} bytes"):
        await ours.file("huge")
