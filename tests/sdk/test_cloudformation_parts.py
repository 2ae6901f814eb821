"""Parts go into a template and out of it, and what is not theirs stays as it was."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.sdk.cloudformation import Part, part, retained

IDS = st.from_regex(r"\A[A-Z][A-Za-z0-9]{0,4}\Z")
RESOURCE = st.builds(lambda size: {"Type": "AWS::SQS::Queue", "Properties": {"DelaySeconds": size}}, st.integers(0, 9))
PARTS = st.dictionaries(
    IDS, st.tuples(st.dictionaries(IDS, RESOURCE, min_size=1), st.dictionaries(IDS, RESOURCE)), max_size=4
)


@given(PARTS, st.dictionaries(IDS, RESOURCE))
def test_in_and_out_leaves_what_was_there(made: dict[str, Any], theirs: dict[str, Any]) -> None:
    before: dict[str, Any] = {"Resources": copy.deepcopy(theirs)}
    template, kept = before, {}
    for name, (resources, outputs) in made.items():
        wanted = Part(resources, {f"{id}Out": row for id, row in outputs.items() if f"{id}Out" not in resources})
        try:
            template = part.put(template, name, wanted)
        except PermanentError:
            continue
        kept[name] = wanted
    assert before == {"Resources": theirs}
    for name, wanted in kept.items():
        assert part.read(template, name) == wanted
        assert part.put(template, name, wanted) == template
    for name in kept:
        template = part.take_out(template, name)
        assert part.read(template, name) is None
    assert template["Resources"] == theirs
    assert part.is_empty(template) == (not theirs)
    assert "Outputs" not in template


def test_an_id_of_somebody_else_is_not_taken() -> None:
    template = part.put({"Resources": {"Theirs": {}}}, "Ours", Part({"Ours": {}}))
    with pytest.raises(PermanentError, match="Theirs stands in the stack already"):
        part.put(template, "Ours", Part({"Ours": {}, "Theirs": {}}))
    with pytest.raises(PermanentError, match="Ours stands in the stack already"):
        part.put(template, "Other", Part({"Ours": {}}))


@pytest.mark.parametrize("damage", [[], "x", {"Ours": "LogGroup"}, {"Ours": [1]}])
def test_a_damaged_list_of_parts_is_no_ground_for_a_decision(damage: object) -> None:
    with pytest.raises(PermanentError, match="was damaged"):
        part.read({"Metadata": {"nthlayer-sync": damage}, "Resources": {}}, "Ours")
    with pytest.raises(PermanentError, match="is no map"):
        part.read({"Metadata": {"nthlayer-sync": {"Ours": ["A"]}}, "Resources": ["A"]}, "Ours")


def test_what_a_person_took_out_of_a_part_is_missed() -> None:
    template = part.put({}, "Ours", Part({"A": {"Type": "X"}, "B": {"Type": "Y"}}))
    del template["Resources"]["B"]
    assert part.read(template, "Ours") == Part({"A": {"Type": "X"}})


def test_imports_and_exports_are_found_at_any_depth() -> None:
    rule = {"Properties": {"Rules": [{"Source": {"Fn::ImportValue": "web"}}, {"Source": {"Fn::ImportValue": "cart"}}]}}
    outputs = {"Id": {"Value": 1, "Export": {"Name": "payments"}}, "Url": {"Value": 2}}
    found = Part({"A": rule}, outputs)
    assert part.imports(found) == {"web", "cart"}
    assert part.exports(found) == {"payments"}


def test_the_policy_protects_data_and_nothing_else() -> None:
    template = {"Resources": {"Logs": retained({"Type": "X"}), "Role": {"Type": "Y"}}}
    assert part.stateful(template) == {"Logs"}
    [allow, deny] = json.loads(part.policy({"Logs"}))["Statement"]
    assert (allow["Effect"], allow["Action"]) == ("Allow", "Update:*")
    assert (deny["Effect"], deny["Resource"]) == ("Deny", ["LogicalResourceId/Logs"])
    assert [row["Effect"] for row in json.loads(part.policy(set()))["Statement"]] == ["Allow"]


def test_a_template_that_is_too_long_is_refused() -> None:
    with pytest.raises(PermanentError, match="more than 51200 bytes"):
        part.body({"Resources": {"A": "x" * 51_200}})
