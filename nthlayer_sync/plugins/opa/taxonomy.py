"""opa/taxonomy: a policy that refuses cloud resources without the tags of the taxonomy, and the policy's tests.

Two configs: the policy, and beside it `_test.rego` for `opa test`. The policy reads a Terraform plan
(https://developer.hashicorp.com/terraform/internals/json-format). It does not read CloudFormation templates: those do
not say which resources can bear tags at all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from importlib.resources import files
from typing import Literal

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Organisation
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.taxonomy import ENVIRONMENT, KEYS, TEAM, TIER, team_tag

_HEADER = f"# Managed by {MARK}: change the catalog or the settings, not this file.\n\n"


class TaxonomySpec(Spec, frozen=True):
    """Which keys a resource must have, and the values that some of them may have."""

    part: Literal["policy", "test"]
    required: tuple[str, ...]
    allowed: dict[str, tuple[str, ...]]


def generate(
    organisation: Organisation, environments: tuple[str, ...] = ("development", "production", "staging")
) -> Iterator[TaxonomySpec]:
    """The policy and its tests."""
    allowed = {
        ENVIRONMENT: tuple(sorted(set(environments))),
        TEAM: tuple(sorted({team_tag(team) for team in organisation.teams})),
        TIER: tuple(sorted(set(organisation.tiers))),
    }
    yield TaxonomySpec(part="policy", required=KEYS, allowed=allowed)
    yield TaxonomySpec(part="test", required=KEYS, allowed=allowed)


def render(spec: TaxonomySpec) -> str:
    """Rego v1: fixed rules, and the data they look at as JSON values."""
    if spec.part == "policy":
        data = f"required := {{{', '.join(map(rego_string, spec.required))}}}\n\n{_allowed(spec)}"
        return _HEADER + _rules("taxonomy.rego") + "\n" + data
    good = {key: values[0] if (values := spec.allowed.get(key)) else "any" for key in spec.required}
    return _HEADER + _rules("taxonomy_test.rego") + f"\ngood := {_object(good)}\n"


def rego_string(text: str) -> str:
    """A Rego string, which is a JSON string; beyond ASCII it is escaped, so that no reader sees text run backwards."""
    return json.dumps(text)


def _allowed(spec: TaxonomySpec) -> str:
    rows = [
        f"\t{rego_string(key)}: {{\n" + "".join(f"\t\t{rego_string(value)},\n" for value in values) + "\t},\n"
        # An empty `{}` would be an object in Rego, not a set.
        if values
        else f"\t{rego_string(key)}: set(),\n"
        for key, values in sorted(spec.allowed.items())
    ]
    return "allowed := {\n" + "".join(rows) + "}\n"


def _object(values: dict[str, str]) -> str:
    rows = "".join(f"\t{rego_string(key)}: {rego_string(value)},\n" for key, value in sorted(values.items()))
    return f"{{\n{rows}}}"


def _rules(name: str) -> str:
    return (files("nthlayer_sync.plugins.opa") / "rules" / name).read_text(encoding="utf-8")


TAXONOMY = FileKind(
    name="opa/taxonomy",
    version=1,
    summary="policy that refuses untagged cloud resources, with its tests",
    subject=Organisation,
    spec=TaxonomySpec,
    generate=generate,
    name_of=lambda spec: spec.part,
    path=lambda organisation, spec: f"opa/taxonomy{'_test' if spec.part == 'test' else ''}.rego",
    render=render,
)
