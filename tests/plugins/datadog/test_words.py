"""Datadog's texts: queries that nothing breaks out of, tags that come back as they went, days that are long enough."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator
from referencing import Registry, Resource

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.datadog import DatadogSettings, Plugin
from nthlayer_sync.plugins.datadog.log_index import RETENTIONS, days_for
from nthlayer_sync.plugins.datadog.service_definition import encode
from nthlayer_sync.plugins.datadog.words import key, part, quoted, tags_of, value
from nthlayer_sync.sandbox.vendors.datadog.shape import tags as stored
from nthlayer_sync.sdk.rest.mark import mark_of
from nthlayer_sync.sdk.testing import HOSTILE, hostile_services, service_from

SCOPE = re.compile(r"\{[a-z0-9_./-]+:[a-z0-9_:./-]+(,[a-z0-9_./-]+:[a-z0-9_:./-]+)*\}")
METRIC = r"(count\(v: v<=[0-9.]+\)|sum|max|count|p[0-9]+):[A-Za-z0-9_.]+S(\.as_(count|rate)\(\))?"
OVER = r"(avg|sum|pct_change)\((last_\d+m|sum\(last_\d+m\),last_1w)\)"
BURN = r'burn_rate\("[a-z0-9_./-]+"\)\.over\("30d"\)\.long_window\("\d+[hm]"\)\.short_window\("\d+[hm]"\)'
QUERY = re.compile(rf"({OVER}:\(?{METRIC}( [-/] {METRIC}\)?){{0,2}}|{BURN}) [<>]=? -?[0-9.]+")


@pytest.mark.parametrize("text", HOSTILE)
def test_a_name_stays_one_value_of_a_query(text: str) -> None:
    own = {"name": "Own", "when": "availability < 99%", "for": "5m", "severity": "page", "summary": "x"}
    service = service_from({"name": text, "blueprint": {"observability": {"alerts": [own]}}})
    for config in Plugin(DatadogSettings()).generate_configs(service):
        spec: Any = config.spec
        if config.id.kind == "datadog/monitor":
            assert QUERY.fullmatch(SCOPE.sub("S", spec.query)), spec.query
        if config.id.kind == "datadog/log_pipeline":
            assert re.fullmatch(r'service:([a-z0-9_.-]+|"[a-z0-9_:./-]+")', spec.query)


@pytest.mark.parametrize("text", HOSTILE)
def test_tags_and_marks_come_back_as_they_went(text: str) -> None:
    service = service_from({"name": text, "namespace": text})
    marked = [*tags_of(service, alert=part(text)), mark_of("default", key(service, part(text)))]
    assert stored(marked) == marked


def test_names_that_look_alike_as_tags_have_keys_of_their_own() -> None:
    names = ["payments", "pay_ments", "pay__ments", "pay@ments", "Payments", "p" * 200, "p" * 201]
    assert len({part(name) for name in names}) == len(names)
    assert part("payments") == "payments"
    assert value("") == "none"
    assert quoted("web/shop") == '"web/shop"'


@pytest.mark.parametrize(("days", "kept"), [(1, 3), (30, 30), (31, 45), (365, 360), (4000, 360)])
def test_logs_are_kept_no_shorter_than_asked_where_that_can_be_had(days: int, kept: int) -> None:
    assert days_for(days * 86_400_000, RETENTIONS) == kept


def test_a_window_that_datadog_does_not_know_is_an_error() -> None:
    service = service_from({"blueprint": {"observability": {"slo": {"window": "28days"}}}})
    with pytest.raises(PermanentError, match=r"slo\.window: 28d .* 7d, 30d, 90d"):
        list(Plugin(DatadogSettings()).generate_configs(service))


@pytest.mark.parametrize("text", ["Payments", *HOSTILE])
def test_entities_keep_datadogs_schema(text: str, shared: Path) -> None:
    folder = shared / "specs/artefacts/datadog/service-catalog/v3"
    schemas = [json.loads(path.read_text()) for path in folder.glob("*.json")]
    registry: Any = Registry().with_resources((each["$id"], Resource.from_contents(each)) for each in schemas)
    schema = json.loads((folder / "service.schema.json").read_text())
    # The schema of the file's own metadata has no namespace, which the API takes and the documentation has.
    metadata = next(each for each in schemas if each["$id"].endswith("/metadata.schema.json"))
    metadata["properties"]["namespace"] = {"type": "string"}
    check = Draft7Validator(schema, registry=registry)
    for service in hostile_services(text):
        configs = list(Plugin(DatadogSettings()).generate_configs(service))
        [spec] = [config.spec for config in configs if config.id.kind == "datadog/service_definition"]
        body: dict[str, Any] = dict(encode(spec, None, None))  # type: ignore[arg-type]
        check.validate({"apiVersion": "v3", "kind": "service", "spec": body.pop("spec"), "metadata": body})
