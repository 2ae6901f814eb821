"""Our keys come and go in catalog files without touching what people wrote."""

import json
from pathlib import Path

import jsonschema
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.ref import DEFAULT_NAMESPACE, entity_ref
from nthlayer_sync.model.written import MANAGED
from nthlayer_sync.plugins.backstage import Plugin
from nthlayer_sync.plugins.backstage.annotations import ANNOTATIONS
from nthlayer_sync.plugins.backstage.catalog import CatalogKeys, canonical
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.sources.entities import read_value
from nthlayer_sync.yaml import splice

REF = entity_ref("component", "payments")
KEYS = CatalogKeys(REF)
WANTED = canonical(
    {"sync.nthlayer.dev/tier": "1", "prometheus.io/alert": "A,B", "backstage.io/techdocs-ref": "dir:."},
    [{"url": "https://x.example/runbook", "title": "Runbook"}],
)
PLAIN = """\
# Payments, see the wiki
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: Payments   # mind the case
  links:
    - url: https://wiki.example.com
spec:
  type: service
  lifecycle: production
  owner: payments-team
---
kind: Component
metadata: {name: ledger}
"""


def annotations(text: str, document: int = 0) -> dict[str, str]:
    return splice.annotations(text.encode(), document)


def test_keys_and_links_come_and_go() -> None:
    written = KEYS.write(PLAIN, WANTED)
    assert KEYS.read(written) == WANTED
    assert KEYS.write(written, WANTED) == written
    assert KEYS.remove(written) == PLAIN
    assert annotations(written)[MANAGED] == "backstage.io/techdocs-ref,prometheus.io/alert"
    assert [link["url"] for link in splice.links(written.encode(), 0)] == [
        "https://wiki.example.com",
        "https://x.example/runbook",
    ]
    assert written.endswith(PLAIN.partition("---")[2])


def test_keys_change_in_place() -> None:
    other = canonical({"sync.nthlayer.dev/tier": "2", "sync.nthlayer.dev/slo": "99%", "prometheus.io/alert": "A"}, [])
    changed = KEYS.write(KEYS.write(PLAIN, WANTED), other)
    assert KEYS.read(changed) == other
    assert KEYS.remove(changed) == PLAIN


def test_a_key_or_link_of_a_person_stays() -> None:
    text = PLAIN.replace("  links:\n", "  annotations:\n    prometheus.io/alert: all\n  links:\n")
    text = text.replace("https://wiki.example.com", "https://x.example/runbook\n      title: Ours")
    written = KEYS.write(text, WANTED)
    assert annotations(written)["prometheus.io/alert"] == "all"
    assert annotations(written)[MANAGED] == "backstage.io/techdocs-ref"
    assert splice.links(written.encode(), 0) == [{"url": "https://x.example/runbook", "title": "Ours"}]
    assert KEYS.remove(written) == text


def test_a_person_takes_over_a_key_of_ours() -> None:
    written = KEYS.write(PLAIN, WANTED).replace("A,B", "Mine")
    assert "prometheus.io/alert" not in json.loads(KEYS.read(written) or "")["annotations"]
    again = KEYS.write(written, WANTED)
    assert annotations(again)["prometheus.io/alert"] == "Mine"
    assert "prometheus.io/alert" not in annotations(again)[MANAGED]
    assert annotations(KEYS.remove(again) or "") == {"prometheus.io/alert": "Mine"}


def test_what_we_wrote_is_not_read_as_a_wish() -> None:
    text = KEYS.write(PLAIN, WANTED)
    entity = read_value(yaml.safe_load(text.partition("---")[0])).entity
    assert entity is not None
    assert entity.annotations == {}
    assert [link.url for link in entity.links] == ["https://wiki.example.com"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "is gone"),
        ("kind: Component\nmetadata: {name: other}\n", "component:default/payments is not declared"),
        ("kind: Component\nmetadata: {name: payments, namespace: shop}\n", "is not declared"),
        (PLAIN + "---\n" + PLAIN, "is declared more than once"),
        ("kind: [\n", "cannot be edited"),
        ("kind: Component\nmetadata:\n  name: payments\n  annotations: &a {}\n  labels: *a\n", "alias"),
        ("kind: Component\nmetadata:\n  name: payments\n  annotations: {a: b}\n  annotations: {c: d}\n", "annotations"),
        (
            "kind: Component\nmetadata:\n  name: payments\n  owner: ${{ values.owner }}\n  {% if x %}\n",
            "cannot be edited",
        ),
        ("\udcff", "not UTF-8"),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str | None, said: str) -> None:
    with pytest.raises(PermanentError, match=said):
        KEYS.write(text, WANTED)
    assert text is None or KEYS.read(text) is None


VALUES = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), max_size=30)


@settings(max_examples=60)
@given(
    st.dictionaries(
        st.sampled_from(["sync.nthlayer.dev/a", "x.io/b", "sync.nthlayer.dev/c", "y/d"]), VALUES, min_size=1
    )
)
def test_any_value_reads_back_and_goes_again(wanted: dict[str, str]) -> None:
    content = canonical(wanted, [])
    written = KEYS.write(PLAIN, content)
    assert KEYS.read(written) == content
    assert KEYS.remove(written) == PLAIN
    assert {key: yaml.safe_load(written.split("\n---")[0])["metadata"]["annotations"][key] for key in wanted} == wanted


def test_a_whole_entity_is_valid_for_backstage(shared: Path) -> None:
    schema = json.loads((shared / "specs/artefacts/backstage/catalog-info.schema.json").read_text())
    text = PLAIN.partition("---")[0]
    service = service_from({"own": {"root": "https://github.com/acme/payments", "slug": "acme/payments"}})
    for config in Plugin(Plugin.settings_type()).generate_configs(service):
        text = ANNOTATIONS.owns(config.id).write(text, ANNOTATIONS.content(config.spec))
    entity = yaml.safe_load(text)
    jsonschema.validate(entity, schema)
    assert len(entity["metadata"]["links"]) == 2
    assert all(isinstance(value, str) for value in entity["metadata"]["annotations"].values())


def test_only_what_the_portal_shows_is_written() -> None:
    def keys(*shown: str) -> set[str]:
        plugin = Plugin(Plugin.settings_type(shown=shown))
        (config,) = plugin.generate_configs(service_from({}))
        return set(json.loads(ANNOTATIONS.content(config.spec))["annotations"])

    assert keys() == {"sync.nthlayer.dev/tier", "sync.nthlayer.dev/slo"}
    assert keys("prometheus") - keys() == {"prometheus.io/rule", "prometheus.io/alert", "prometheus.io/labels"}
    assert keys("techdocs") - keys() == {"sync.nthlayer.dev/runbook", "backstage.io/techdocs-ref"}


def test_components_of_real_catalogs(shared: Path) -> None:
    invalid = {line.split("\t")[0] for line in (shared / "corpus/INVALID.tsv").read_text().splitlines()}
    done = refused = 0
    for file in sorted((shared / "corpus/catalog").rglob("*.y*ml"))[::3]:
        if str(file.relative_to(shared / "corpus")) in invalid:
            continue
        try:
            text = file.read_bytes().decode()
            documents = [value for value in yaml.safe_load_all(text) if isinstance(value, dict)]
        except (yaml.YAMLError, UnicodeDecodeError):
            continue
        for value in documents:
            metadata = value.get("metadata")
            if value.get("kind") != "Component" or not isinstance(metadata, dict) or not metadata.get("name"):
                continue
            ref = entity_ref("component", str(metadata["name"]), metadata.get("namespace") or DEFAULT_NAMESPACE)
            keys = ANNOTATIONS.owns(ConfigId(ANNOTATIONS.name, ref))
            try:
                written = keys.write(text, WANTED)
            except PermanentError:
                refused += 1
                continue
            theirs = metadata.get("annotations") or {}
            wanted = json.loads(WANTED)["annotations"]
            expected = {key: value for key, value in wanted.items() if key not in theirs}
            assert json.loads(keys.read(written) or "")["annotations"] == expected
            assert keys.remove(written) == text
            done += 1
    assert done > 100
    assert refused <= done / 50
