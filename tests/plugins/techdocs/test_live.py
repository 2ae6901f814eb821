"""Sites are published whole, only where something changed, and never over those of others."""

import asyncio
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs.publish import source
from nthlayer_sync.plugins.techdocs.publish.build import METADATA
from nthlayer_sync.plugins.techdocs.publish.sites import CHANGED, UNREADABLE
from nthlayer_sync.sdk.testing import service_from
from tests.plugins.techdocs.shelves import Place

SITE = "default/component/payments"
THEIRS = json.dumps({"site_name": "x", "site_description": "", "build_timestamp": 1, "files": [], "etag": "e"}).encode()


def service_of(**words: Any) -> Service:
    return service_from({"tier": "3", "title": "Payments", "description": "Takes money", **words})


def shown(place: Place) -> dict[str, Any]:
    """What Backstage reads of the site."""
    return json.loads(place.read()[f"{SITE}/{METADATA}"])


def mark_of(place: Place, key: str) -> bool:
    return key.startswith(f"{SITE}/nthlayer-sync/")


async def test_a_life(place: Place) -> None:
    hand = place.hand()
    place.put("default/component/other/index.html", b"somebody's")
    config = await hand.done(service_of(blueprint={"documentation": {"onboarding": True}}))
    assert config.place.path == SITE
    files = place.read()
    pages = {"", "runbook/", "dependencies/", "onboarding/"}
    assert {f"{SITE}/{page}index.html" for page in pages} <= files.keys()
    assert b"Takes money" in files[f"{SITE}/index.html"]
    metadata = shown(place)
    assert (metadata["site_name"], metadata["site_description"]) == ("Payments", "Takes money")
    assert abs(metadata["build_timestamp"] - time.time() * 1000) < 600_000
    assert {f"{SITE}/{name}" for name in metadata["files"]} == {
        key for key in files if key.startswith(SITE) and not key.endswith(METADATA) and not mark_of(place, key)
    }
    assert set(await hand.target.revisions(config.place.root, None)) == {SITE}

    # Where nothing changed, nothing is written.
    place.writes.clear()
    assert await hand.plan([config]) == []
    assert place.read() == files
    before = await hand.observed(config)

    # Only what changed is sent, and metadata is the last of it; then goes what is stale.
    [changed] = hand.configs(service_of(description="Gives it back"))
    assert await hand.outcomes(*await hand.plan([changed])) == ["done"]
    after = place.read()
    assert f"{SITE}/onboarding/index.html" not in after
    assert b"Gives it back" in after[f"{SITE}/index.html"]
    assert shown(place)["etag"] != metadata["etag"]
    if place.writes:
        assert not [key for key in place.writes if "/assets/" in key]
        done = place.writes.index(f"{SITE}/{METADATA}")
        assert set(place.writes[:done]).isdisjoint(files.keys() - after.keys())
        assert set(place.writes[done + 1 :]) == files.keys() - after.keys()

    # What stood before can be put back from its text alone.
    now = await hand.observed(changed)
    back = Diff(config.id, Action.UPDATE, config, now, after=before.content if before else None)
    assert await hand.outcomes(back) == ["done"]
    assert {k: v for k, v in place.read().items() if not k.endswith(METADATA)} == {
        k: v for k, v in files.items() if not k.endswith(METADATA)
    }
    assert shown(place)["etag"] == metadata["etag"]

    assert await hand.outcomes(await hand.removal(config)) == ["done"]
    assert place.read() == {"default/component/other/index.html": b"somebody's"}
    assert await hand.observed(config) is None


async def test_sites_of_others_stay(place: Place) -> None:
    hand = place.hand()
    [config] = hand.configs(service_of())
    for name, data in (("index.html", b"theirs"), (METADATA, THEIRS)):
        place.put(f"{SITE}/{name}", data)
        lying = place.read()
        diff = await hand.diff(config)
        assert (diff.action, diff.before) == (Action.REFUSE, None)
        result = await hand.make(msgspec.structs.replace(diff, action=Action.CREATE, actual=None))
        assert (str(result.outcome), "does not bear our mark" in result.reason) == ("failed", True)
        assert place.read() == lying


async def test_another_installation_is_somebody_else(google_place: Place) -> None:
    config = await google_place.hand("one").done(service_of())
    other = google_place.hand("two")
    assert (await other.diff(config)).action is Action.REFUSE
    result = await other.make(Diff(config.id, Action.DELETE, None, await other.observed(config)))
    assert str(result.outcome) == "failed"
    assert f"{SITE}/{METADATA}" in google_place.read()


@pytest.mark.parametrize("sent", [0, 1, 5, "metadata"])
async def test_an_upload_that_breaks_off_is_finished_by_the_next(google_place: Place, sent: int | str) -> None:
    place, hand = google_place, google_place.hand()
    await hand.done(service_of(title="Before"))
    old = shown(place)
    [config] = hand.configs(service_of())
    place.writes.clear()
    if sent == "metadata":
        place.shut = lambda key: key.endswith(METADATA)
    else:
        place.shut = lambda key: len(place.writes) > int(sent)
    [diff] = await hand.plan([config])
    assert await hand.outcomes(diff) == ["failed"]
    assert shown(place) == old, "what is shown is still the site before"
    observed = await hand.observed(config)
    assert (diff.actual.revision, diff.before) == (observed.revision, observed.content), "and the plan says so"
    place.shut = lambda key: False
    assert await hand.outcomes(*await hand.plan([config])) == ["done"]
    assert shown(place)["site_name"] == "Payments"
    assert (await hand.diff(config)).action is Action.NOTHING
    assert len([key for key in place.read() if mark_of(place, key)]) == 1


async def test_a_first_upload_that_breaks_off_is_no_site_yet(place: Place) -> None:
    if place.settings["type"] == "local":
        pytest.skip("a folder refuses nothing; it is killed below")
    hand = place.hand()
    [config] = hand.configs(service_of())
    place.shut = lambda key: len(place.writes) > 20
    [diff] = await hand.plan([config])
    result = await hand.make(diff)
    assert (str(result.outcome), result.temporary) == ("failed", False)
    assert 0 < len(place.read()) <= 20
    assert await hand.observed(config) is None
    place.shut = lambda key: False
    await hand.done(service_of())


async def test_a_removal_that_breaks_off_is_finished_by_the_next(google_place: Place) -> None:
    place, hand = google_place, google_place.hand()
    config = await hand.done(service_of())
    for shut in (lambda key: len(place.writes) > 3, lambda key: key.endswith(METADATA)):
        place.writes.clear()
        place.shut = shut
        observed = await hand.observed(config)
        assert await hand.outcomes(await hand.removal(config)) == ["failed"]
        assert await hand.observed(config) == observed, "it is still as we left it, so the next plan goes on"
    place.shut = lambda key: False
    assert await hand.outcomes(await hand.removal(config)) == ["done"]
    assert place.read() == {}


KILLED = """
import asyncio, os, sys
from nthlayer_sync.plugins.techdocs.publish import folder
real, put = os.replace, []
def replace(old, new, **more):
    put.append(new)
    if new == sys.argv[2] or str(len(put)) == sys.argv[2]:
        os._exit(9)
    real(old, new, **more)
os.replace = replace
from pathlib import Path
from nthlayer_sync.plugins.techdocs.publish.sites import Sites
text = Path(sys.argv[3]).read_text()
asyncio.run(Sites(folder.Folder(Path(sys.argv[1])), "default").change([{sys.argv[4]: text}]))
"""


@pytest.mark.parametrize("at", ["1", "7", METADATA])
async def test_a_process_that_is_killed_leaves_what_the_next_one_finishes(
    folder_place: Place, tmp_path: Path, at: str
) -> None:
    hand = folder_place.hand()
    await hand.done(service_of(title="Before"))
    old = shown(folder_place)
    [config] = hand.configs(service_of())
    [diff] = await hand.plan([config])
    (tmp_path / "text").write_text(diff.after or "")
    arguments = (folder_place.settings["directory"], at, str(tmp_path / "text"), SITE)
    command = [sys.executable, "-c", KILLED, *arguments]
    killed = await asyncio.to_thread(subprocess.run, command, timeout=120, check=False)
    assert killed.returncode == 9
    assert shown(folder_place) == old
    assert await hand.observed(config) == diff.actual
    assert await hand.outcomes(*await hand.plan([config])) == ["done"]
    assert (await hand.diff(config)).action is Action.NOTHING
    assert not [key for key in folder_place.read() if key.endswith(".new")]


async def test_what_people_change_in_the_files_is_told_and_mended(place: Place) -> None:
    hand = place.hand()
    config = await hand.done(service_of())
    whole = place.read()
    place.put(f"{SITE}/index.html", b"by hand")
    diff = await hand.diff(config)
    assert diff.action is Action.UPDATE
    assert diff.before == f"{diff.after}{CHANGED}"
    assert await hand.outcomes(diff) == ["done"]
    assert place.read()[f"{SITE}/index.html"] == whole[f"{SITE}/index.html"]
    [mark] = [key for key in whole if mark_of(place, key)]
    place.put(mark, b"by hand")
    diff = await hand.diff(config)
    assert diff.before == UNREADABLE
    assert await hand.outcomes(diff) == ["done"]
    assert (await hand.diff(config)).action is Action.NOTHING


async def test_whether_a_lost_answer_meant_yes_is_looked_up(google_place: Place) -> None:
    place, hand = google_place, google_place.hand()
    [config] = hand.configs(service_of())
    shut = 0

    def broken(key: str) -> bool:
        nonlocal shut
        if key.endswith(METADATA):
            shut += 1
            raise RuntimeError("500")
        return False

    place.shut = broken
    assert await hand.outcomes(*await hand.plan([config])) == ["unknown"]
    assert shut > 1
    place.shut = lambda key: False
    assert await hand.outcomes(*await hand.plan([config])) == ["done"]


async def test_a_change_since_the_plan_is_not_overwritten(folder_place: Place) -> None:
    hand = folder_place.hand()
    config = await hand.done(service_of())
    [changed] = hand.configs(service_of(title="One"))
    diff = await hand.diff(changed)
    [other] = hand.configs(service_of(title="Two"))
    await hand.make(await hand.diff(other))
    result = await hand.make(diff)
    assert (str(result.outcome), result.temporary, "plan again" in result.reason) == ("failed", True, True)
    assert config.id == changed.id
    assert shown(folder_place)["site_name"] == "Two"


async def test_a_link_leads_nowhere(folder_place: Place, tmp_path: Path) -> None:
    hand = folder_place.hand()
    top = Path(folder_place.settings["directory"])
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (top / "default").symlink_to(elsewhere)
    [config] = hand.configs(service_of())
    content = hand.plugin.kind(config.id.kind).content(config.spec)
    result = await hand.make(Diff(config.id, Action.CREATE, config, None, after=content))
    assert (str(result.outcome), "cannot be used" in result.reason) == ("failed", True)
    assert list(elsewhere.iterdir()) == []
    (top / "default").unlink()
    await hand.done(service_of())
    page = top / SITE / "index.html"
    page.unlink()
    page.symlink_to(tmp_path / "secret")
    (tmp_path / "secret").write_text("secret")
    assert (await hand.observed(config)).content.endswith(CHANGED)
    assert await hand.outcomes(*await hand.plan([config])) == ["done"]
    assert (tmp_path / "secret").read_text() == "secret"
    assert not page.is_symlink()


async def test_a_folder_that_is_not_there_is_no_empty_one(folder_place: Place) -> None:
    hand = folder_place.hand()
    config = await hand.done(service_of())
    shutil.rmtree(folder_place.settings["directory"])
    with pytest.raises(PermanentError, match="is no folder: make it, or mount it here"):
        await hand.target.revisions(config.place.root, None)
    with pytest.raises(PermanentError, match="is no folder"):
        await hand.observed(config)


async def test_many_pages_of_a_list(google_place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nthlayer_sync.plugins.techdocs.publish.gcs._PAGE", 7)
    hand = google_place.hand()
    config = await hand.done(service_of())
    google_place.put("Default/Component/Odd/techdocs_metadata.json", THEIRS)
    google_place.put("default/component/deeper/down/techdocs_metadata.json", THEIRS)
    assert set(await hand.target.revisions(config.place.root, None)) == {SITE}


async def test_what_is_put_back_is_what_we_would_write(google_place: Place) -> None:
    """The text of a bucket is anybody's; only sources of a site are built from it."""
    hand = google_place.hand()
    config = await hand.done(service_of())
    now = await hand.observed(config)
    page = "pages: {index.md: a, ../../hooks.py: b}\n"
    for text, said in (
        ("[]", "not the sources"),
        ("name: a\ndescription: b\n" + page, "no page is called"),
        ("&a [*a]", "not the sources"),
    ):
        result = await hand.make(Diff(config.id, Action.UPDATE, config, now, after=text))
        assert (str(result.outcome), said in result.reason) == ("failed", True), result.reason
    assert await hand.observed(config) == now
    assert source.read(now.content).name == "Payments"


def test_a_service_with_documentation_of_its_own_has_no_site_of_ours(folder_place: Place) -> None:
    hand = folder_place.hand()
    facts = {"entity": "component:default/payments"}
    assert len(hand.configs(service_of(facts=facts))) == 1
    assert hand.configs(service_of(facts={**facts, "mkdocs": True})) == []
    assert hand.configs(service_of(facts={**facts, "docs": True})) == []


def test_pages_are_those_whose_kinds_are_on(folder_place: Place) -> None:
    [config] = folder_place.hand(kinds=["site", "runbook"]).configs(service_of())
    assert config.spec.runbook
    assert not config.spec.dependency_graph
    assert folder_place.hand(kinds=["runbook"]).configs(service_of()) == []
