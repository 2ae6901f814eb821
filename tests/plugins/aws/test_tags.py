"""Whatever the catalog holds, a tag document keeps AWS's limits, or is refused with a reason."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.aws import AwsSettings, Plugin
from nthlayer_sync.plugins.aws.tags import generate, problem, render
from nthlayer_sync.sdk.testing import service_from

KEYS = st.from_regex(r"\A[A-Za-z0-9_.:/=+@-]{1,20}\Z")


@settings(max_examples=60, deadline=None)
@given(name=st.text(min_size=1, max_size=300), tags=st.dictionaries(KEYS, st.text(max_size=256), max_size=60))
def test_limits_are_kept_or_refused(name: str, tags: dict[str, str]) -> None:
    service = service_from({"name": name, "blueprint": {"cost": {"tags": tags}}})
    wanted = {"environment": "production", "service": name, "team": "payments-team", "tier": "1", **tags}
    if any(problem(key, value) for key, value in wanted.items()) or len(wanted) > 50 or len(wanted) < 4 + len(tags):
        with pytest.raises(PermanentError, match="component:"):
            list(generate(service))
        return
    [spec] = generate(service)
    written = json.loads(render(spec))["tags"]
    assert written == wanted
    assert len(written) <= 50
    for key, value in written.items():
        assert 0 < len(key) <= 128
        assert len(value) <= 256
        assert not key.lower().startswith("aws:")
        # https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html
        assert all(c.isalnum() or c in " _.:/=+-@" for c in key + value)


@pytest.mark.parametrize(
    ("key", "value"),
    [("", "x"), ("k" * 129, "x"), ("k", "v" * 257), ("AWS:x", "x"), ("k", "a\nb"), ("k", "a*b"), ("k", "a\n")],
)
def test_what_aws_refuses(key: str, value: str) -> None:
    assert problem(key, value)


def test_a_key_of_the_taxonomy_cannot_be_overridden() -> None:
    with pytest.raises(PermanentError, match=r"component:default/payments: cost.tags sets team"):
        list(generate(service_from({"blueprint": {"cost": {"tags": {"team": "other"}}}})))


def test_fifty_tags_are_the_most() -> None:
    tags = {f"k{number}": "v" for number in range(47)}
    with pytest.raises(PermanentError, match="51 tags, but AWS allows 50"):
        list(generate(service_from({"blueprint": {"cost": {"tags": tags}}})))


def test_the_environment_is_a_setting() -> None:
    plugin = Plugin(AwsSettings(environment="staging"), None)
    [config] = plugin.generate_configs(service_from({}))
    assert config.spec.tags["environment"] == "staging"
