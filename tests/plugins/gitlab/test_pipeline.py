"""Pipelines, held to GitLab's schema."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nthlayer_sync.plugins.gitlab import GitlabSettings, Plugin
from nthlayer_sync.plugins.gitlab.pipeline import generate, render
from nthlayer_sync.sdk.testing import service_from

GOLDEN = sorted(Path(__file__).parent.glob("pipeline/*/then.yml"))
HOST = {"gitlab.com/project-slug": "acme/payments"}


def written(words: dict[str, Any], **commands: Any) -> str:
    plugin = Plugin(GitlabSettings(commands=commands))
    [config] = plugin.generate_configs(service_from({"annotations": HOST, **words}))
    return plugin.kind(config.id.kind).content(config.spec)


def pipeline(words: dict[str, Any], **commands: Any) -> dict[str, Any]:
    return yaml.safe_load(written(words, **commands))


def test_golden_cases_are_accepted(accepted: Callable[..., str]) -> None:
    accepted("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", *GOLDEN)


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_golden_cases_keep_the_published_schema(path: Path, shared: Path) -> None:
    schema = json.loads((shared / "specs/artefacts/gitlab/gitlab-ci.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_every_need_is_a_job_of_the_same_branch() -> None:
    jobs = pipeline({"tier": "1"})
    needed = jobs["payments:deliver"]["needs"]
    assert needed == [f"payments:{check}" for check in ("lint", "tests", "security-scan", "load-test")]
    for name in needed:
        assert jobs[name]["rules"][-1] == {"if": "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"}


def test_approvals_make_delivery_wait() -> None:
    assert pipeline({"tier": "1"})["payments:deliver"]["rules"][0]["when"] == "manual"
    assert "when" not in pipeline({"tier": "3"})["payments:deliver"]["rules"][0]


def test_commands_are_left_to_the_shell(tmp_path: Path, accepted: Callable[..., str]) -> None:
    text = written({}, deploy="./shift $PERCENT", verify="true")
    variables = yaml.safe_load(text)["payments:deliver"]["variables"]
    assert variables["DEPLOY_COMMAND"] == {"value": "./shift $PERCENT", "expand": False}
    assert variables["VERIFY_COMMAND"] == "true"
    (tmp_path / "ci.yml").write_text(text)
    accepted("check-jsonschema", "--builtin-schema", "vendor.gitlab-ci", tmp_path / "ci.yml")


def test_no_catalog_value_stands_in_a_script() -> None:
    other = pipeline({"name": "search", "namespace": "shop", "title": "${X}", "description": "`id`"})
    scripts = [job["script"] for job in pipeline({}).values()]
    assert scripts == [job["script"] for job in other.values()]


def test_no_pipeline_for_what_is_not_delivered() -> None:
    assert not list(generate(service_from({"type": "documentation"})))
    assert not list(generate(service_from({"own": {"root": "https://github.com/a/b"}})))
    [spec] = generate(service_from({"own": {"root": "/srv/git/b"}}))
    assert render(spec)
