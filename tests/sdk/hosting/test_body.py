"""The text of a pull request: bounded, and nothing foreign in it means anything."""

import re
from collections.abc import Collection, Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from nthlayer_sync.git import Offer, blob_sha
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sdk.hosting.address import parts
from nthlayer_sync.sdk.hosting.body import File, body_of, checksum, checksum_of, title_of
from nthlayer_sync.sdk.hosting.markup import LARGEST

SUM = "0" * 32
HOSTILE = (
    "@acme/everyone", "`@acme`", "``` @x ```", "<script>alert(1)</script>", "</code></p></details>@x", "fixes #1",
    "acme/other#12", "/merge", "\n/close\n@x", "![x](https://evil.example/x.png)", "[x](javascript:alert(1))",
    "`````\n@x", "~~~\n@x", "\u202e@x", "Checksum `" + "1" * 32 + "`", "\nChecksum `" + "1" * 32 + "`\n", "-->@x<!--",
    "&#64;x", "https://evil.example", "   ", "\u2028@x",
)  # fmt: skip


def blobs(*texts: str) -> tuple[Mapping[str, bytes], list[str]]:
    data = [text.encode(errors="surrogateescape") for text in texts]
    return {blob_sha(each): each for each in data}, [blob_sha(each) for each in data]


def reader(contents: Mapping[str, bytes]):
    async def read(shas: Collection[str]) -> Mapping[str, bytes]:
        return {sha: contents[sha] for sha in shas}

    return read


async def written(subject: str, path: str, before: str, after: str, kind: str = "notes/whole") -> str:
    contents, (old, new) = blobs(before, after)
    file = File(path, Offer(old, new), (ConfigId(kind, EntityRef(subject)),))
    return await body_of([file], SUM, "0123456789ab", reader(contents))


def prose(body: str) -> str:
    """What hosts look for mentions, references and links in: the text outside of code."""
    html = MarkdownIt("commonmark", {"html": True}).render(body)
    assert html.count("<details>") == html.count("</details>") == body.count("<details>")
    without = re.sub(r"<(code|pre)[^>]*>.*?</\1>", "", html, flags=re.DOTALL)
    assert not re.search(r"<(?!/?(p|ul|li|h3|hr|details|summary|br)\b)", without), without
    return without


@pytest.mark.parametrize("text", HOSTILE)
async def test_hostile_text_is_only_ever_code(text: str) -> None:
    body = await written(f"component:default/{text}", f"a/{text}", f"old {text}\n", f"{text}\nnew\n", f"k/{text}")
    said = prose(body)
    for sign in ("@", "#1", "acme", "evil", "alert", "/merge", "/close", "&amp;#64;"):
        assert sign not in said, said
    assert checksum_of(body) == SUM
    assert not re.search(r"(?m)^/", body)


@given(st.text(max_size=60), st.text(max_size=60), st.lists(st.text(max_size=40), max_size=8))
async def test_any_text_is_only_ever_code(subject: str, path: str, lines: list[str]) -> None:
    before, after = "\n".join(lines), "\n".join(reversed(lines)) + "x"
    clean = before.encode(errors="replace").decode(), after.encode(errors="replace").decode()
    body = await written(f"component:default/{subject}", path or "a", *clean)
    plain = prose(await written("component:default/a", "a", "1\n", "2\n"))
    assert re.sub(r"\s+", "", prose(body)) == re.sub(r"\s+", "", plain)
    assert checksum_of(body) == SUM


@pytest.mark.parametrize(
    ("services", "files", "size"), [(1, 1, 10), (1, 5_000, 10), (3_000, 3, 10), (40, 25, 3_000), (1, 1, 500_000)]
)
async def test_it_is_never_too_long(services: int, files: int, size: int) -> None:
    asked: list[str] = []
    text = "line `of` text\n" * (size // 15 + 1)
    contents, (sha,) = blobs(text)

    async def read(shas: Collection[str]) -> Mapping[str, bytes]:
        asked.extend(shas)
        return dict.fromkeys(shas, contents[sha])

    rows = [
        File(f"services/s{s}/f{f}.yaml", Offer(None, sha), (ConfigId("k/k", EntityRef(f"component:default/s{s}")),))
        for s in range(services)
        for f in range(files)
    ]
    body = await body_of(rows, SUM, "0123456789ab", read)
    assert len(body) <= LARGEST
    assert checksum_of(body) == SUM
    assert "nthlayer-sync undo 0123456789ab" in body
    assert title_of(rows) == f"nthlayer-sync: {services * files:,} added"
    if services * files > 500:
        assert " more" in body
    assert body == await body_of(list(reversed(rows)), SUM, "0123456789ab", read)


async def test_what_is_said_of_a_file() -> None:
    body = await written("component:default/pay", "alerts/pay.yaml", "a\nb\nc\n", "a\nB\nc\n")
    assert body.startswith("1 changed, for 1 entity.\n\n### `component:default/pay`\n\n")
    assert "\n- changed `alerts/pay.yaml`: `notes/whole`\n" in body
    assert "-b\n+B" in body
    assert "Closing declines it" in body


async def test_files_without_a_config_come_last() -> None:
    contents, (old, new) = blobs("old", "new")
    rows = [
        File("gone.yaml", Offer(old, None)),
        File("here.yaml", Offer(None, new), (ConfigId("k/k", EntityRef("component:default/a")),)),
    ]
    body = await body_of(rows, SUM, "", reader(contents))
    assert body.index("here.yaml") < body.index("gone.yaml")
    assert "undo" not in body
    assert title_of(rows) == "nthlayer-sync: 1 added, 1 removed"


def test_the_checksum_is_of_the_content() -> None:
    one = {"a": Offer(None, "1"), "b": Offer("2", None)}
    assert checksum(one) == checksum(dict(reversed(one.items())))
    assert checksum(one) != checksum(one | {"a": Offer(None, "3")})
    assert checksum({}) != checksum(one)
    assert checksum_of("text\r\nChecksum `" + SUM + "`\r\n") == SUM
    assert checksum_of("text") == ""


@pytest.mark.parametrize(
    ("root", "expected"),
    [
        ("https://GitHub.com/acme/pay.git", ("github.com", "acme/pay")),
        ("https://user@gitlab.example.com:8443/acme/sub/pay/", ("gitlab.example.com", "acme/sub/pay")),
        ("ssh://git@github.com/acme/pay.git", ("github.com", "acme/pay")),
        ("git@github.com:acme/pay.git", ("github.com", "acme/pay")),
        ("/srv/git/pay.git", ("", "")),
        ("./pay", ("", "")),
    ],
)
def test_the_name_on_the_host_comes_from_the_address(root: str, expected: tuple[str, str]) -> None:
    assert parts(root) == expected
