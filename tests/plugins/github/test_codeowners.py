"""CODEOWNERS, read back by GitHub's rules and written into real files."""

import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.plugins.github.codeowners import CODEOWNERS, covers, generate, render
from nthlayer_sync.sdk.ownership import Ownership
from nthlayer_sync.sdk.testing import service_from

HUMAN = "# Who owns what\n*.md @acme/writers\n/services/ @acme/everybody\n"


def block(name: str, folder: str = "", handle: str = "acme/team") -> tuple[Ownership, str]:
    owner = {"ref": "group:default/team", "name": "team", "handle": handle}
    home = {"root": "https://github.com/acme/shop", "folder": folder}
    service = service_from({"name": name, "owner": owner, "own": home, "type": "library"})
    [spec] = generate(service)
    return CODEOWNERS.owns(ConfigId(CODEOWNERS.name, service.ref)), render(spec)


def rules(text: str) -> list[tuple[str, list[str]]]:
    """Patterns and owners in order; a backslash keeps a space, `#` begins a comment."""
    found = list[tuple[str, list[str]]]()
    for line in text.splitlines():
        words = re.findall(r"(?:\\.|[^\s\\])+", re.split(r"(?<!\\)(?:^|\s)#", line)[0])
        if words:
            found.append((re.sub(r"\\(.)", r"\1", words[0]), words[1:]))
    return found


@settings(max_examples=200, deadline=None)
@given(folder=st.text(st.characters(exclude_characters="/"), min_size=1, max_size=30), handle=st.text(max_size=30))
def test_any_folder_is_matched_literally_or_refused(folder: str, handle: str) -> None:
    try:
        _, text = block("a", f"services/{folder}", handle or "acme/team")
    except PermanentError:
        return
    assert rules(text) == [(f"/services/{folder}/", [f"@{(handle or 'acme/team').removeprefix('@')}"])]
    assert not set("*?[]!#\\\n\r") & set(folder)


@pytest.mark.parametrize("handle", ["acme/a b", "acme\n* @evil", "@@x", "a/b/c", "x # y", "-a", "acme/", "a" * 60])
def test_hostile_handles_are_refused(handle: str) -> None:
    with pytest.raises(PermanentError, match="group:default/team: its handle"):
        block("a", handle=handle)


def test_without_a_handle_there_is_nothing_to_say() -> None:
    for words in ({"owner": None}, {"owner": {"ref": "group:default/x", "name": "x"}}, {"own": None}):
        assert not list(generate(service_from(words)))


def test_narrower_lines_of_people_win() -> None:
    ownership, text = block("a")
    assert rules(ownership.write(HUMAN, text)) == [("*", ["@acme/team"]), *rules(HUMAN)]


@pytest.mark.parametrize(
    "pattern", ["*", "**", "/**", "**/*", "/**/*", "/services/", "/services", "services/", "/services/**", "/s*/"]
)
def test_wide_lines_of_people_leave_a_block_its_effect(pattern: str) -> None:
    ownership, text = block("a", "services/a b")
    human = f"# Ours\n{pattern} @acme/all # everybody\n/services/a\\ b/sql/ @acme/dba\n"
    assert [p for p, _ in rules(ownership.write(human, text))] == [pattern, "/services/a b/", "/services/a b/sql/"]


@pytest.mark.parametrize("pattern", ["*.md", "/*", "/services/*", "/docs/", "/services/ab/", "/services/a/x/", "a.b"])
def test_other_lines_of_people_stand_below_a_block(pattern: str) -> None:
    ownership, text = block("a", "services/a")
    assert [p for p, _ in rules(ownership.write(f"{pattern} @acme/all\n", text))] == ["/services/a/", pattern]


def test_a_line_about_the_same_folder_is_overruled_by_the_catalog() -> None:
    ownership, text = block("a", "services/a")
    human = "* @acme/all\n/services/a/ @acme/old\n/services/b/ @acme/b\n"
    found = ownership.write(human, text)
    assert [p for p, _ in rules(found)] == ["*", "/services/a/", "/services/a/", "/services/b/"]
    assert rules(found)[2][1] == ["@acme/team"]


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0), (1, 0, 2), (2, 0, 1), (0, 2, 1)])
@pytest.mark.parametrize("human", [None, "", HUMAN, HUMAN.removesuffix("\n"), HUMAN.replace("\n", "\r\n")])
def test_wide_patterns_stand_above_narrow_ones(order: tuple[int, ...], human: str | None) -> None:
    blocks = [block("top"), block("shop", "services/shop"), block("search", "services/shop/search")]
    text = human
    for number in order:
        text = blocks[number][0].write(text, blocks[number][1])
        assert blocks[number][0].write(text, blocks[number][1]) == text
        assert blocks[number][0].read(text) == blocks[number][1]
    assert text is not None
    theirs = ["*.md", "/services/"] if human else []
    assert [p for p, _ in rules(text)] == ["*", *theirs, "/services/shop/", "/services/shop/search/"]
    rest: str | None = text
    for ownership, _ in blocks:
        assert rest is not None
        rest = ownership.remove(rest)
    assert rest == (human or None)


def test_a_block_stays_where_people_put_it() -> None:
    ownership, text = block("a")
    moved = HUMAN + text
    _, changed = block("a", handle="acme/others")
    assert ownership.write(moved, changed) == HUMAN + changed


def test_real_files_keep_their_lines(shared: Path) -> None:
    files = sorted((shared / "corpus" / "codeowners").iterdir())
    assert files
    ownership, text = block("a", "services/a")
    for path in files:
        human = path.read_bytes().decode()
        written = ownership.write(human, text)
        place = rules(written).index(rules(text)[0])
        assert rules(written)[:place] + rules(written)[place + 1 :] == rules(human), path.name
        assert not any(covers(pattern, "/services/a/") for pattern, _ in rules(written)[place + 1 :]), path.name
        assert ownership.write(written, text) == written, path.name
        assert ownership.remove(written) == human, path.name
