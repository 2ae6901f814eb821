"""TechDocs builds the pages, links lead somewhere, and no value of a catalog changes what a page consists of."""

import html
import json
import re
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import markdown
import pytest
import yaml
from mkdocs.config import load_config

from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.plugins.techdocs.index import INDEX
from nthlayer_sync.sdk import quote
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.signals.alerts import alerts_of
from nthlayer_sync.signals.watched import runbook_path

PAGES = ("runbook", "dependencies", "onboarding", "index")


@pytest.fixture(scope="module")
def techdocs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], str]]:
    """Renders Markdown with every extension that TechDocs switches on."""
    folder = tmp_path_factory.mktemp("techdocs")
    (folder / "docs").mkdir()
    (folder / "mkdocs.yml").write_text("site_name: x\nplugins: [techdocs-core]\n")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a package that TechDocs brings along
        config = load_config(str(folder / "mkdocs.yml"))
        core = config.plugins["techdocs-core"]
        config = config.plugins.on_config(config)
    extensions, options = config["markdown_extensions"], config["mdx_configs"]
    yield lambda text: markdown.Markdown(extensions=extensions, extension_configs=options).convert(text)
    core.tmp_dir_techdocs_theme.cleanup()


STRICT = "validation: {anchors: warn, absolute_links: warn, unrecognized_links: warn}\n"


def test_techdocs_builds_the_site_without_a_warning(site, accepted) -> None:
    folder = site()
    with (folder / "mkdocs.yml").open("a") as file:
        file.write(STRICT)
    accepted("mkdocs", "build", "--strict", folder=folder)
    metadata = json.loads((folder / "site/techdocs_metadata.json").read_text())
    assert metadata["site_name"] == "payments"


@pytest.mark.parametrize(
    "words", [{"tier": "3"}, {"tier": "3", "type": "library", "owner": None}], ids=["tier3", "nobody"]
)
def test_it_does_for_a_service_of_which_little_is_known(words, tmp_path: Path, write_site_of, accepted) -> None:
    folder = write_site_of(service_from(words), tmp_path)
    with (folder / "mkdocs.yml").open("a") as file:
        file.write(STRICT)
    accepted("mkdocs", "build", "--strict", folder=folder)


def test_alerts_link_to_their_headings(site, words: dict[str, Any], techdocs) -> None:
    shown = techdocs((site() / "docs/runbook.md").read_text())
    ids = set(re.findall(r'<h2 id="([^"]+)"', shown))
    service = service_from(words)
    for alert in alerts_of(service):
        assert runbook_path(service.ref, alert.name).partition("#")[2] in ids


def test_every_alert_says_what_to_look_at_and_do(site, words: dict[str, Any]) -> None:
    text = (site() / "docs/runbook.md").read_text()
    for alert in alerts_of(service_from(words)):
        section = text.partition(f"begin alert.{alert.name.lower()} ")[2].partition("<!-- nthlayer-sync: end")[0]
        assert quote.markdown(alert.meaning) in section
        for query in alert.look:
            assert f"```promql\n{query.expr}\n```" in section
        for step in (*alert.causes, *alert.remedy):
            assert f"1. {quote.markdown(step)}\n" in section


def case() -> dict[str, Any]:
    return yaml.safe_load((Path(__file__).parent / "runbook/tier1/when.yaml").read_text())


def _changed(words: dict[str, Any], value: str) -> dict[str, Any]:
    """The same service with `value` wherever a catalog has free text."""
    neighbour = {"name": value, "type": value, "tier": value, "channel": value}
    return words | {
        "title": value,
        "description": value,
        "language": value,
        "links": [link | {"title": value} for link in words["links"]],
        "owner": {
            "ref": "group:default/ops",
            "name": "ops",
            "title": value,
            "channel": value,
            "people": [{"ref": "user:default/eve", "name": value, "email": "eve@example.com"}],
        },
        "depends_on": [other | neighbour for other in words["depends_on"]],
        "dependents": [other | neighbour for other in words["dependents"]],
        "further": ["component:default/x"],
    }


def _structure(shown: str) -> list[str]:
    """The elements of a page; ids of headings come from their text."""
    return [re.sub(r' (id|href|title)="[^"]*"', "", tag) for tag in re.findall(r"<[^>]*>", _without_code(shown))]


def _without_code(shown: str) -> str:
    """Highlighting splits code by what stands in it."""
    return re.sub(r"<(pre|code)\b.*?</\1>", "", shown, flags=re.DOTALL)


MARKUP = "</td></tr></table><h1>x</h1> [x](javascript:alert(1)) ![x](https://evil.example/x.png) | x \n\n# y\n\n- [ ] z"


KNOWN = "Dashboard logs on-call"
FEW = {"tier": 3, "blueprint": {"documentation": {"onboarding": True}}}  # few alerts make small pages


@pytest.fixture(scope="module")
def plain(write_site_of, techdocs, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The structure of each page of a service without hostile values."""
    folder = write_site_of(service_from(_changed(case() | FEW, KNOWN)), tmp_path_factory.mktemp("plain"))
    return {page: _structure(techdocs((folder / f"docs/{page}.md").read_text())) for page in PAGES}


def test_no_value_changes_the_structure_of_a_page(plain, hostile, tmp_path, write_site_of, techdocs) -> None:
    folder = write_site_of(service_from(_changed(case() | FEW, f"{KNOWN} {hostile} {MARKUP}")), tmp_path)
    for page in PAGES:
        shown = techdocs((folder / f"docs/{page}.md").read_text())
        assert _structure(shown) == plain[page]
        assert "javascript:" not in "".join(re.findall(r'(?:href|src)="([^"]*)"', html.unescape(shown)))


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", 'https://x" onclick="y', "x y"]
)
def test_an_address_that_is_none_becomes_text(words, url: str, site, techdocs) -> None:
    folder = site(links=[{"url": url, "title": "Dashboard"}, {"url": url}])
    for page in PAGES:
        shown = techdocs((folder / f"docs/{page}.md").read_text())
        assert "onclick=" not in re.sub(r'"[^"]*"', "", shown)
        assert not re.findall(r'href="(?:javascript|data|//)', shown)


def test_a_front_page_that_we_begin_has_a_title_and_goes_as_a_whole() -> None:
    [spec] = INDEX.generate(service_from({"name": "Pay_*s*", "tier": "3"}))
    ownership, content = INDEX.owns(ConfigId(INDEX.name, entity_ref("component", "pay_*s*"))), INDEX.render(spec)
    page = ownership.write(None, content)
    assert page.splitlines()[1] == r"# pay\_\*s\*"
    assert ownership.read(page) == content
    assert ownership.write(page, content) == page
    assert ownership.remove(page) is None
    assert ownership.remove(page + "Ours.\n") == "Ours.\n"
    for theirs in ("# Pay\n", "Welcome", "# Pay\r\n\r\nHello\r\n"):
        assert "title" not in ownership.write(theirs, content)
        assert ownership.remove(ownership.write(theirs, content)) == theirs


def test_what_people_write_stays_in_the_built_page(site, accepted) -> None:
    folder = site()
    page = folder / "docs/runbook.md"
    text = page.read_bytes().decode().replace("\n", "\r\n")
    marker = "<!-- nthlayer-sync: end alert.errorratehigh -->\r\n"
    page.write_bytes(
        ("Read this first.\r\n\r\n" + text.replace(marker, marker + "\r\nRestart the proxy.\r\n")).encode()
    )
    written = page.read_bytes()
    site()
    assert page.read_bytes() == written
    site(title="Pay")
    assert page.read_bytes() == written.replace(b"# Payments API: runbook", b"# Pay: runbook")
    accepted("mkdocs", "build", "--strict", folder=folder)
    assert "Restart the proxy." in (folder / "site/runbook/index.html").read_text()
