"""A mkdocs.yml that people wrote gets only what is missing, and everything else stays byte for byte."""

import difflib
from pathlib import Path

import pytest

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.plugins.techdocs.mkdocs import SiteEntry
from nthlayer_sync.plugins.techdocs.site import KINDS, entry_of
from nthlayer_sync.sdk.testing import service_from

PAYMENTS = entity_ref("component", "payments")
ENTRIES = [entry_of(ConfigId("techdocs/site", PAYMENTS, page.removesuffix(".md"))) for page in KINDS]
RUNBOOK = SiteEntry("payments", "runbook.md")
FRONT = SiteEntry("payments", "index.md")


def written(text: str | None) -> str:
    for entry in ENTRIES:
        text = entry.write(text, "")
    assert text is not None
    return text


def removed(text: str | None) -> str | None:
    for entry in ENTRIES:
        text = entry.remove(text) if text is not None else None
    return text


def test_without_a_file_one_is_made_and_goes_again() -> None:
    text = written(None)
    assert text == (
        "# Made by nthlayer-sync, which adds its pages to nav and changes nothing else: the file is yours.\n"
        "site_name: payments\n"
        "nav:\n"
        "  - Home: index.md\n"
        "  - Runbook: runbook.md\n"
        "  - Dependencies: dependencies.md\n"
        "  - For newcomers: onboarding.md\n"
        "plugins:\n"
        "  - techdocs-core\n"
    )
    assert removed(text) is None
    assert written("\n") == text


def test_a_file_of_ours_that_people_went_on_with_stays() -> None:
    text = written(None) + "theme: {name: material}\n"
    rest = removed(text)
    assert rest is not None
    assert "theme" in rest
    assert "runbook" not in rest


@pytest.mark.parametrize(
    "plugins", ["  - techdocs-core", "  - techdocs-core:\n      use_material_search: true", "  techdocs-core: {}"]
)
def test_a_file_that_shows_all_pages_stays_as_it_is(plugins: str) -> None:
    text = f"site_name: x\nplugins:\n{plugins}\n"
    assert written(text) == text
    assert all(entry.read(text) for entry in ENTRIES)
    assert removed(text) == text


def test_pages_that_people_listed_stay_where_they_are() -> None:
    text = (
        "site_name: x\n"
        "nav:\n"
        "  - index.md\n"
        "  - Operations:\n"
        "      - When it burns: ./runbook.md\n"
        "      - dependencies.md\n"
        "      - New here?: onboarding.md\n"
        "plugins: [techdocs-core]\n"
    )
    assert written(text) == text
    assert removed(text) == text


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("site_name: x\nplugins: [search]\n", "site_name: x\nplugins: [search, \"techdocs-core\"]\n"),
        ("site_name: x\nplugins:\n  search: {}\n", "site_name: x\nplugins:\n  search: {}\n  techdocs-core: {}\n"),
        ("site_name: x\r\nnav:\r\n- a.md # first\r\nplugins:\r\n- techdocs-core",
         "site_name: x\r\nnav:\r\n- a.md # first\r\n- Runbook: runbook.md\r\nplugins:\r\n- techdocs-core"),
        ("site_name: x\nnav: [a.md]\nplugins: [techdocs-core]\n",
         "site_name: x\nnav: [a.md, {\"Runbook\": \"runbook.md\"}]\nplugins: [techdocs-core]\n"),
        ("nav: # none yet\nplugins: [techdocs-core]\n", "nav: # none yet\nplugins: [techdocs-core]\n"),
    ],
)  # fmt: skip
def test_only_what_is_missing_is_added(before: str, after: str) -> None:
    assert RUNBOOK.write(before, "") == after
    assert RUNBOOK.write(after, "") == after
    assert RUNBOOK.read(after) == "Runbook: runbook.md\n"


def test_the_site_lists_what_the_service_has() -> None:
    from nthlayer_sync.plugins.techdocs import Plugin

    plugin = Plugin(Plugin.settings_type())
    names = [c.id.name for c in plugin.generate_configs(service_from({"tier": 3})) if c.id.kind == "techdocs/site"]
    assert sorted(names) == ["dependencies", "index", "runbook"]
    chosen = Plugin(Plugin.settings_type(kinds=("site", "runbook")))
    names = [c.id.name for c in chosen.generate_configs(service_from({"tier": 1})) if c.id.kind == "techdocs/site"]
    assert names == ["runbook"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("site_name: [\n", "mkdocs.yml"),
        ("site_name: x\ndocs_dir: handbook\n", "docs_dir 'handbook'"),
        ("site_name: x\nnav: {Home: index.md}\nplugins: [techdocs-core]\n", "list"),
        ("site_name: ${{ values.name }}\nnav:\n  {% if x %}\n  - a.md\n", "mkdocs.yml"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        RUNBOOK.write(text, "")


def test_a_file_that_cannot_be_read_holds_nothing_of_ours() -> None:
    assert RUNBOOK.read("site_name: [\n") is None
    assert FRONT.read("\udcff") is None


def test_files_of_real_projects(shared: Path) -> None:
    files = sorted((shared / "corpus/mkdocs").glob("*.y*ml"))
    assert len(files) > 30
    for file in files:
        before = file.read_bytes().decode()
        after = written(before)
        assert all(entry.read(after) for entry in ENTRIES), file.name
        changed = [line for line in difflib.ndiff(before.splitlines(), after.splitlines()) if line[0] in "+-"]
        assert len(changed) <= 5, file.name
        assert all(line[0] == "+" for line in changed), file.name
        rest = removed(after)
        assert rest is not None
        assert rest == before or rest.replace("  - techdocs-core", "") != rest, file.name
