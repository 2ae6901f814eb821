"""What is read from a service, and what is refused."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.rollout.commands import Commands, build_of, check_command
from nthlayer_sync.rollout.policy import branch_of, hosted_on, rollout_of, slug_of
from nthlayer_sync.sdk.testing import service_from

# KubernetesValidatorFunctions of Backstage's catalog model
NAME = st.from_regex(r"\A[A-Za-z0-9]([A-Za-z0-9_.-]{0,61}[A-Za-z0-9])?\Z")


def test_policy_by_tier() -> None:
    first, third = rollout_of(service_from({"tier": "1"})), rollout_of(service_from({"tier": "3"}))
    assert first
    assert third
    policy = first.policy
    assert (policy.steps, policy.bake, policy.watched, policy.approvals, policy.rollback) == (
        (10, 50, 100),
        900,
        45,
        2,
        True,
    )
    assert policy.window
    assert policy.window.name == "business-hours-only"
    assert (third.policy.steps, third.policy.window, third.policy.approvals, third.environment) == (
        (100,),
        None,
        0,
        "production",
    )
    assert rollout_of(service_from({"type": "library"})) is None


def test_where_the_code_is() -> None:
    root, file = "https://github.com/acme/shop", "services/catalog-info.yaml"
    alone = rollout_of(service_from({"own": {"root": root}, "entity": {"root": root, "path": "catalog-info.yaml"}}))
    crowded = rollout_of(
        service_from({"own": {"root": root, "folder": "services/payments"}, "entity": {"root": root, "path": file}})
    )
    assert alone
    assert crowded
    assert (alone.folder, alone.environment) == ("", "production")
    assert (crowded.folder, crowded.environment) == ("services", "production/payments")


def test_only_a_canary_has_steps() -> None:
    rollout = rollout_of(service_from({"tier": "1", "blueprint": {"deployment": {"strategy": "blue-green"}}}))
    assert rollout
    assert rollout.policy.steps == (100,)


@given(names=st.tuples(NAME, NAME, NAME, NAME))
def test_no_two_services_have_the_same_slug(names: tuple[str, str, str, str]) -> None:
    refs = [entity_ref("component", names[0], names[1]), entity_ref("component", names[2], names[3])]
    refs += [entity_ref("component", names[0]), entity_ref("component", f"{names[1]}-{names[0]}")]
    assert len({slug_of(ref) for ref in refs}) == len(set(refs))


@pytest.mark.parametrize(
    "hostile",
    ["a b", "a'b", 'a"b', "$(id)", "`id`", "${{ x }}", "a\nb", "a\n", "-rf", "..", "a/../b", "*", "a\u202eb", "a;b"],
)
def test_hostile_values_are_refused(hostile: str) -> None:
    home = {"root": "https://github.com/acme/shop", "folder": hostile}
    facts = {"entity": "component:default/x", "default_branch": hostile}
    cases = [({"own": home}, "folder")]
    if hostile not in ("-rf", "..", "a/../b"):
        cases += [({"name": f"a{hostile}"}, "name"), ({"namespace": f"a{hostile}"}, "namespace")]
    for words, what in cases:
        with pytest.raises(PermanentError, match=f"its {what} .* cannot stand in a pipeline"):
            rollout_of(service_from(words))
    with pytest.raises(PermanentError, match="its default branch"):
        branch_of(service_from({"facts": facts}))


@pytest.mark.parametrize(
    ("words", "host"),
    [
        ({"annotations": {"github.com/project-slug": "a/b"}, "own": {"root": "https://gitlab.com/a/b"}}, "github"),
        ({"annotations": {"gitlab.com/project-slug": "a/b"}}, "gitlab"),
        ({"own": {"root": "https://github.example.com/gitlab/b"}}, "github"),
        ({"own": {"root": "git@gitlab.example.com:github/b.git"}}, "gitlab"),
        ({"own": {"root": "/srv/git/github/b"}}, ""),
        ({"own": None}, ""),
    ],
)
def test_code_host(words: dict[str, Any], host: str) -> None:
    assert hosted_on(service_from(words)) == host


def test_commands() -> None:
    assert build_of(("package.json", "go.mod", "README.md")) == "node"
    assert build_of(()) == "make"
    given = Commands(checks={"tests": "tox"}).by_name()
    assert check_command("tests", "go", given) == "tox"
    assert check_command("lint", "go", given) == "go vet ./..."
    assert check_command("load-test", "go", given) == "make load-test"
