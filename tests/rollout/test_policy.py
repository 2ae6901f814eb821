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

# https://backstage.io/docs/features/software-catalog/descriptor-format#name-required
NAME = st.from_regex(r"\A[A-Za-z0-9]+([-_.][A-Za-z0-9]+)*\Z").filter(lambda name: len(name) <= 63)


def test_policy_by_tier() -> None:
    first, third = rollout_of(service_from({"tier": "1"})), rollout_of(service_from({"tier": "3"}))
    assert first
    assert third
    assert (first.steps, first.bake, first.watched, first.approvals, first.rollback) == ((10, 50, 100), 900, 45, 2, True)
    assert first.window
    assert first.window.name == "business-hours-only"
    assert (third.steps, third.window, third.approvals, third.environment) == ((100,), None, 0, "production")
    assert rollout_of(service_from({"type": "library"})) is None


def test_only_a_canary_has_steps() -> None:
    rollout = rollout_of(service_from({"tier": "1", "blueprint": {"deployment": {"strategy": "blue-green"}}}))
    assert rollout
    assert rollout.steps == (100,)


@given(names=st.tuples(NAME, NAME, NAME, NAME))
def test_no_two_services_have_the_same_slug(names: tuple[str, str, str, str]) -> None:
    refs = [entity_ref("component", names[0], names[1]), entity_ref("component", names[2], names[3])]
    refs += [entity_ref("component", names[0]), entity_ref("component", f"{names[1]}-{names[0]}")]
    assert len({slug_of(ref) for ref in refs}) == len(set(refs))


def test_hostile_values_are_refused(hostile: str) -> None:
    home = {"root": "https://github.com/acme/shop", "folder": f"services/{hostile}"}
    facts = {"entity": "component:default/x", "default_branch": hostile}
    for words in ({"name": hostile}, {"namespace": hostile}, {"own": home}):
        service = service_from(words)
        try:
            rollout = rollout_of(service)
        except PermanentError as error:
            assert "cannot stand in a pipeline" in str(error)
        else:
            assert rollout
            assert hostile in ("true", "0x10", "x" * 5000, "é漢😀", "---")
    with_branch = service_from({"facts": facts})
    if hostile not in ("true", "0x10", "x" * 5000):
        with pytest.raises(PermanentError, match="its default branch"):
            branch_of(with_branch)


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
