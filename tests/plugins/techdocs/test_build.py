"""What is built is what was generated: nothing in it runs, nothing of this machine gets into it."""

import asyncio
import itertools
import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from nthlayer_sync.errors import PermanentError, TemporaryError
from nthlayer_sync.model.service import Service
from nthlayer_sync.plugins.techdocs import Plugin
from nthlayer_sync.plugins.techdocs.publish import build as building
from nthlayer_sync.plugins.techdocs.publish import source
from nthlayer_sync.plugins.techdocs.publish.build import build
from nthlayer_sync.plugins.techdocs.publish.source import Source
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from
from tests.plugins.conftest import HOSTILE as MORE

EXTENSIONS = (
    '--8<-- "/etc/passwd"', '--8<-- "mkdocs.yml"', "--8<--\n/etc/passwd\n--8<--", ";--8<-- x",
    '```plantuml source="/etc/passwd"\nA -> B\n```', '::uml:: source="/etc/passwd"\nA -> B\n::end-uml::',
    "```graphviz dot x.svg\ndigraph { a }\n```", "{% dot x.png\n digraph { a [image=\"/etc/passwd\"] }\n%}",
    "!include x", "{{ config }}", "{% include 'x' %}", "{{ [].__class__ }}", "template: x",
    "---\ntemplate: main.html\n---",
    "!ENV HOME", "!!python/object/apply:os.system [id]", "!relative $config_dir/x", "hooks: [a.py]", "[TOC]", "*[x]: y",
    "![a](/etc/passwd)", "[a]: javascript:alert(1)", "<a@b.c>", ":smile:", "{: onclick=alert(1) }", "a{: .b onload=x }",
    "??? note\n    a", "=== \"a\"\n    b", "!!! danger", "==a==", "{++a++}", "~~a~~", "H~2~O", "[^1]: a", "$$x$$",
    "<details><summary onclick=x>", "<!-- a", "--!>", "<?php", "<![CDATA[", "&lt;script&gt;",
    "&#106;avascript:alert(1)",
    "\\<script>", "`<script>`", "</article><script>", "</body>", "<base href=//x>", "<iframe src=//x>",
    "<svg/onload=x>",
    "</title><script>", "<link rel=import href=//x>", "<form action=//x>", "<style>@import '//x'", "<object data=x>",
    "<embed src=x>", "[a](data:text/html,<script>alert(1)</script>)", "<meta http-equiv=refresh content=0>",
)  # fmt: skip
"""Values that would make an extension of techdocs-core, mkdocs or a browser do something."""
PLAIN = tuple(dict.fromkeys((*HOSTILE, *MORE, *EXTENSIONS)))
VALUES = (*PLAIN, *(f"a\n{value}\nb" for value in PLAIN))
TAGS_NEVER = {"base", "iframe", "object", "embed", "frame"}


def text_of(service: Service) -> str:
    plugin = Plugin(Plugin.settings_type.model_validate({"publish": {"type": "local", "directory": "/srv"}}))
    [config] = plugin.generate_configs(service)
    return plugin.kind(config.id.kind).content(config.spec)


class Seen(HTMLParser):
    """Everything in a page that a browser would act on."""

    def __init__(self) -> None:
        super().__init__()
        self.inside = False
        self.script = False
        self.bad: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside |= tag == "article"
        self.script = tag == "script"
        never = TAGS_NEVER | {"script", "style", "form"} if self.inside else TAGS_NEVER
        if tag in never or any(name.startswith("on") for name, _ in attrs):
            self.bad.append(str(self.get_starttag_text()))
        for name, value in attrs:
            if name in ("href", "src") and re.match(r"\s*(javascript|data|file|vbscript):", value or "", re.IGNORECASE):
                self.bad.append(f"{name}={value}")

    def handle_data(self, data: str) -> None:
        if self.script and "alert(1)" in data:
            self.bad.append(data)

    def handle_endtag(self, tag: str) -> None:
        self.script = False
        if tag == "article":
            self.inside = False


def test_there_are_enough_values() -> None:
    assert len(VALUES) >= 300


@pytest.fixture(scope="module")
def sources() -> dict[str, list[str]]:
    """The texts of sites with each value in each place that pages tell about, by the value."""
    return {
        value: [text_of(each) for each in hostile_services(value[:200]) if not each.tags and not each.annotations]
        for value in VALUES
    }


def test_hostile_values_stay_in_the_page_that_they_are_in(sources: dict[str, list[str]]) -> None:
    """What is read back is what was written, with the same pages."""
    usual = set(source.read(text_of(service_from({}))).pages)
    for text in itertools.chain(*sources.values()):
        read = source.read(text)
        assert set(read.pages) == usual
        assert source.write(read) == text
        assert read.name.isprintable()
        assert read.description.isprintable()


async def test_hostile_values_do_nothing_in_the_site(sources: dict[str, list[str]]) -> None:
    """All of them in one site, each paragraph once."""
    pages: dict[str, dict[str, None]] = {}
    for text in itertools.chain(*(sources[value] for value in PLAIN)):
        for page, found in source.read(text).pages.items():
            pages.setdefault(page, {}).update(dict.fromkeys(found.split("\n\n")))
    joined = {page: "\n\n".join(found) for page, found in pages.items()}
    name = "{{ config }} \"'><script>alert(1)</script> ${HOME} !ENV HOME"
    files = await build(Source(name, name, joined))
    assert {path for path in files if path.endswith(".html")} == {
        "404.html", "index.html", "runbook/index.html", "dependencies/index.html", "onboarding/index.html"
    }  # fmt: skip
    for path, data in files.items():
        if not path.endswith(".html"):
            continue
        text = data.decode()
        assert "root:x:0:0" not in text
        assert "plugins:\n" not in text
        seen = Seen()
        seen.feed(text)
        assert seen.bad == [], path


async def test_sources_that_others_wrote_start_no_program_and_read_no_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is put back comes from a bucket: there nothing was escaped."""
    for name in ("dot", "plantuml"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("CANARY", "canary-of-the-environment")
    (tmp_path / "secret").write_text("canary-of-the-file")
    texts = [value.replace("/etc/passwd", str(tmp_path / "secret")) for value in EXTENSIONS if "graphviz" not in value]
    files = await build(Source("x", "x", {"index.md": "# x\n\n" + "\n\n".join(texts)}))
    assert not [path for path, data in files.items() if b"canary" in data]
    assert not (tmp_path / "ran").exists()


async def test_the_same_source_gives_the_same_site() -> None:
    made = source.read(text_of(service_from({})))
    first, second = await asyncio.gather(build(made), build(made))
    assert first == second
    assert "techdocs_metadata.json" not in first


async def test_a_build_that_takes_too_long_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr(building, "SECONDS", 0.05)
    with pytest.raises(TemporaryError, match="did not build the site within"):
        await build(Source("x", "x", {"index.md": "# x"}))
    assert os.listdir(tmp_path) == []


async def test_a_build_that_is_given_up_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    begun = asyncio.Event()
    start = asyncio.create_subprocess_exec

    async def started(*arguments: Any, **more: Any) -> asyncio.subprocess.Process:
        process = await start(*arguments, **more)
        begun.set()
        return process

    monkeypatch.setattr(asyncio, "create_subprocess_exec", started)
    task = asyncio.create_task(build(Source("x", "x", {"index.md": "# x"})))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert os.listdir(tmp_path) == []


async def test_a_site_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "LARGEST_SITE", 100_000)
    with pytest.raises(PermanentError, match="more than 100,000 bytes"):
        await build(Source("x", "x", {"index.md": "# x"}))


async def test_without_mkdocs_it_is_said_what_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(building, "find_spec", lambda name: None)
    with pytest.raises(PermanentError, match=r"nthlayer-sync\[techdocs\]"):
        await build(Source("x", "x", {"index.md": "# x"}))


@pytest.mark.parametrize("value", VALUES)
def test_a_name_leads_nowhere_else(value: str) -> None:
    for words in ({"name": value}, {"namespace": value}):
        try:
            service = service_from(words)
            plugin = Plugin(Plugin.settings_type.model_validate({"publish": {"type": "local", "directory": "/srv"}}))
            [config] = plugin.generate_configs(service)
        except (PermanentError, ValueError):
            continue
        parts = config.place.path.split("/")
        assert len(parts) == 3
        assert all(re.fullmatch(r"[a-z0-9]([a-z0-9_.-]*[a-z0-9])?", part) for part in parts)


def test_the_plugin_starts_without_what_only_publishing_needs() -> None:
    late = {"mkdocs", "aiobotocore", "jwt", "aiohttp"}
    code = f"import sys, nthlayer_sync.plugins.techdocs; print({late} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
