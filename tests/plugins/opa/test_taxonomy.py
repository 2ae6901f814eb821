"""The policy and its own tests, evaluated by a real interpreter of Rego."""

import json
import re
from typing import Any

import pytest
from regopy import Interpreter

from nthlayer_sync.plugins.opa import OpaSettings, Plugin
from nthlayer_sync.plugins.opa.taxonomy import generate, render
from nthlayer_sync.sdk.testing import organisation_from, service_from
from nthlayer_sync.taxonomy import tags_of

TEAM = "payments-team"


def written(*teams: str) -> tuple[str, str]:
    words = {"teams": [{"ref": f"group:default/team-{n}", "name": name} for n, name in enumerate(teams)]}
    policy, tests = (render(spec) for spec in generate(organisation_from(words)))
    return policy, tests


def asked(query: str, policy: str, tests: str = "", given: Any = None) -> Any:
    rego = Interpreter()
    rego.add_module("taxonomy", policy)
    if tests:
        rego.add_module("taxonomy_test", tests)
    if given is not None:
        rego.set_input(given)
    return rego.query(query).results[0].expressions[0]


def plan(tags: dict[str, str] | None, *actions: str) -> dict[str, Any]:
    change = {"actions": list(actions or ("create",)), "after": {"tags": tags, "tags_all": tags}}
    return {"resource_changes": [{"address": "aws_sqs_queue.jobs", "change": change}]}


def denied(tags: dict[str, str] | None, *actions: str) -> list[str]:
    return sorted(asked("data.nthlayer.taxonomy.deny", written(TEAM)[0], given=plan(tags, *actions)))


@pytest.mark.parametrize("teams", [(TEAM,), (TEAM, "search-team")])
def test_the_policys_own_tests_pass(teams: tuple[str, ...]) -> None:
    policy, tests = written(*teams)
    names = re.findall(r"^(test_\w+) if", tests, re.MULTILINE)
    assert len(names) == 7
    for name in names:
        assert asked(f"data.nthlayer.taxonomy_test.{name}", policy, tests) is True, name


def test_what_we_write_for_a_service_is_accepted() -> None:
    assert denied(tags_of(service_from({}), "production")) == []


def test_each_missing_tag_is_named() -> None:
    assert denied({"team": TEAM, "tier": "1"}) == [
        "aws_sqs_queue.jobs: tag environment is missing",
        "aws_sqs_queue.jobs: tag service is missing",
    ]
    assert len(denied(None, "delete", "create")) == 4
    assert denied(None, "delete") == denied(None, "no-op") == denied(None, "read") == []


def test_an_unknown_value_is_named() -> None:
    tags = tags_of(service_from({}), "production") | {"tier": "0"}
    assert denied(tags) == ["aws_sqs_queue.jobs: tag tier may not have the value 0"]


def test_hostile_names_are_values(hostile: str) -> None:
    policy, _ = written(hostile, TEAM)
    cases = [(TEAM, 0), (hostile + "x", 1)]
    if json.dumps(hostile) == f'"{hostile}"':  # this interpreter does not undo escapes when it compares with input
        cases.append((hostile, 0))
    for team, refused in cases:
        tags = {"environment": "production", "service": "x", "team": team, "tier": "1"}
        assert asked("count(data.nthlayer.taxonomy.deny)", policy, given=plan(tags)) == refused
    data = policy[policy.index("allowed := ") :]
    assert data.isascii()
    assert f"\t\t{json.dumps(hostile)},\n" in data


def test_environments_are_a_setting() -> None:
    plugin = Plugin(OpaSettings(environments=("live",)))
    policy, tests = plugin.generate_configs(organisation_from({}))
    assert policy.spec.allowed["environment"] == tests.spec.allowed["environment"] == ("live",)
    assert policy.place.path == "opa/taxonomy.rego"
    assert tests.place.path == "opa/taxonomy_test.rego"
