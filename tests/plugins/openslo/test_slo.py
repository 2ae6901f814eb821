"""The documents, held to the OpenSLO schema and to promtool."""

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT7

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.openslo.slo import duration, generate, render
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.sdk.testing import service_from
from nthlayer_sync.yaml.emit import dump

GOLDEN = sorted(Path(__file__).parent.glob("slo/*/then.yaml"))


@pytest.fixture(scope="module")
def schema(shared: Path) -> Draft7Validator:
    folder = shared / "specs/artefacts/openslo/v1"
    schemas = [json.loads(path.read_text()) for path in sorted(folder.rglob("*.json"))]
    registry = Registry().with_resources((s["$id"], Resource(s, DRAFT7)) for s in schemas)
    whole = next(s for s in schemas if s["$id"].endswith("/openslo.schema.json"))
    return Draft7Validator(whole, registry=registry)


def documents(words: dict[str, Any]) -> list[dict[str, Any]]:
    return [document for spec in generate(service_from(words)) for document in yaml.safe_load_all(render(spec))]


def queries(found: Any) -> Iterator[str]:
    if isinstance(found, dict):
        if "query" in found:
            yield found["query"]
        for below in found.values():
            yield from queries(below)
    elif isinstance(found, list):
        for below in found:
            yield from queries(below)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_golden_cases_keep_the_schema(path: Path, schema: Draft7Validator) -> None:
    found = list(yaml.safe_load_all(path.read_text()))
    assert [document["kind"] for document in found].count("SLO") > 0
    for document in found:
        schema.validate(document)


def test_references_lead_somewhere() -> None:
    found = documents({"tier": "1"})
    names = {(document["kind"], document["metadata"]["name"]) for document in found}
    assert len(names) == len(found)
    for document in found:
        body = document["spec"]
        if document["kind"] == "SLO":
            assert ("Service", body["service"]) in names
            assert all(("AlertPolicy", policy) in names for policy in body["alertPolicies"])
        if document["kind"] == "AlertPolicy":
            assert ("AlertNotificationTarget", body["notificationTargets"][0]["targetRef"]) in names


def test_hostile_texts_stay_texts(
    hostile: str, schema: Draft7Validator, accepted: Callable[..., str], tmp_path: Path
) -> None:
    selector = hostile[:200].replace("{", "(").replace("}", ")")  # braces are placeholders, refused when unknown
    metrics = {"observability": {"metrics": {"selector": {"app": selector}}}}
    found = documents({"title": hostile, "description": hostile, "blueprint": metrics})
    for document in found:
        schema.validate(document)
    assert found[0]["metadata"]["displayName"] == (line(hostile) or "payments")
    assert found[0]["spec"].get("description", "") == line(hostile)[:1050]
    rules = [{"record": f"q{n}", "expr": query} for n, query in enumerate(queries(found))]
    assert len(rules) == 4
    path = tmp_path / "rules.yaml"
    path.write_text(dump({"groups": [{"name": "x", "rules": rules}]}))
    accepted("promtool", "check", "rules", path)


@settings(max_examples=60, deadline=None)
@given(
    name=st.text(min_size=1, max_size=63) | st.from_regex(r"\A[A-Za-z0-9_.-]{1,63}\Z"),
    namespace=st.sampled_from(["default", "a_b", "x"]),
)
def test_any_name_gives_a_legal_one(name: str, namespace: str, schema: Draft7Validator) -> None:
    words = {"name": name, "namespace": namespace}
    found = documents(words)
    for document in found:
        schema.validate(document)
    plain = re.fullmatch("[a-z0-9]([a-z0-9-]*[a-z0-9])?", name.lower()) and namespace == "default"
    assert (found[0]["metadata"]["name"] == name.lower()) is bool(plain)


def test_similar_names_stay_apart() -> None:
    names = [("a_b", "default"), ("a.b", "default"), ("a-b", "default"), ("a-b", "x"), ("b", "a")]
    found = {documents({"name": name, "namespace": namespace})[0]["metadata"]["name"] for name, namespace in names}
    assert len(found) == len(names)


@pytest.mark.parametrize(("milliseconds", "text"), [(60_000, "1m"), (5_400_000, "90m"), (86_400_000 * 30, "30d")])
def test_durations(milliseconds: int, text: str) -> None:
    assert duration(milliseconds) == text


@pytest.mark.parametrize("milliseconds", [0, 1, 90_500])
def test_durations_that_openslo_lacks(milliseconds: int) -> None:
    with pytest.raises(PermanentError, match="use whole minutes"):
        duration(milliseconds)
