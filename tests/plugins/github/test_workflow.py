"""Workflows, held to the published schema, actionlint and zizmor."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.plugins.github import GithubSettings, Plugin
from nthlayer_sync.plugins.github.workflow import generate, render
from nthlayer_sync.sdk.quote import github
from nthlayer_sync.sdk.testing import service_from

GOLDEN = sorted(Path(__file__).parent.glob("workflow/*/then.yaml"))
SETTINGS = {
    "commands": {"deploy": 'kubectl set image "$SERVICE" && ./shift "$PERCENT"', "checks": {"lint": "tox -e lint"}},
    "secrets": ["KUBE_TOKEN", "A_KEY"],
    "runner": "self-hosted-linux",
}

Accepted = Callable[..., str]


def workflow(words: dict[str, Any]) -> str:
    [spec] = generate(service_from(words))
    return render(spec)


def check(folder: Path, accepted: Accepted, *texts: str) -> None:
    """All of `texts` are workflows that GitHub takes and that open no door."""
    place = folder / ".github" / "workflows"
    place.mkdir(parents=True)
    for number, text in enumerate(texts):
        (place / f"w{number}.yaml").write_text(text)
    files = sorted(place.iterdir())
    (folder / ".github" / "actionlint.yaml").write_text("self-hosted-runner: {labels: [self-hosted-linux]}\n")
    accepted("actionlint", "-no-color", "-config-file", folder / ".github" / "actionlint.yaml", *files)
    accepted("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *files)
    accepted("zizmor", "--offline", "--no-progress", "--persona=pedantic", "--no-config", place)


def test_workflows_are_accepted(tmp_path: Path, accepted: Accepted) -> None:
    plugin = Plugin(GithubSettings(**SETTINGS))
    [configured] = [c for c in plugin.generate_configs(service_from({})) if c.id.kind == "github/workflow"]
    texts = [path.read_text() for path in GOLDEN]
    check(tmp_path, accepted, *texts, plugin.kind("github/workflow").content(configured.spec))


def test_workflows_keep_the_published_schema(shared: Path) -> None:
    schema = json.loads((shared / "specs/artefacts/github-actions/github-workflow.schema.json").read_text())
    for path in GOLDEN:
        jsonschema.validate(yaml.safe_load(path.read_text()), schema)


def test_hostile_titles_stay_titles(tmp_path: Path, accepted: Accepted) -> None:
    titles = (
        "${{ github.token }}",
        "$${{{ x",
        "a: b # c",
        'a"b',
        "a\nb: c",
        "- a",
        "x" * 5000,
        "\u202ea",
        "true",
        "'",
    )
    texts = [workflow({"title": title}) for title in titles]
    check(tmp_path, accepted, *texts)
    for title, text in zip(titles, texts, strict=True):
        assert yaml.safe_load(text)["name"] == github(title)[:100]
        assert "${{" not in yaml.safe_load(text)["name"]


def test_settings_reach_the_workflow() -> None:
    plugin = Plugin(GithubSettings(**SETTINGS))
    [config] = [c for c in plugin.generate_configs(service_from({})) if c.id.kind == "github/workflow"]
    jobs = yaml.safe_load(plugin.kind("github/workflow").content(config.spec))["jobs"]
    assert jobs["lint"]["steps"][1]["run"] == "tox -e lint"
    assert jobs["deliver"]["runs-on"] == "self-hosted-linux"
    environment = jobs["deliver"]["steps"][2]["env"]
    assert environment["DEPLOY_COMMAND"] == SETTINGS["commands"]["deploy"]
    assert environment["KUBE_TOKEN"] == "${{ secrets.KUBE_TOKEN }}"
    assert "KUBE_TOKEN" not in str(jobs["lint"])


def test_no_catalog_value_stands_in_a_script() -> None:
    """Two services that differ in everything run the same scripts."""
    other = {"name": "search", "namespace": "shop", "title": "T", "tier": "1", "description": "D"}
    first, second = (yaml.safe_load(workflow(words))["jobs"] for words in ({"tier": "1"}, other))

    def runs(jobs: dict[str, Any]) -> list[str]:
        return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]

    assert runs(first) == runs(second)


def test_jobs_may_do_nothing_but_read() -> None:
    document = yaml.safe_load(workflow({}))
    assert document["permissions"] == {}
    assert {str(job["permissions"]) for job in document["jobs"].values()} == {"{'contents': 'read'}"}


def test_what_github_cannot_watch_is_refused() -> None:
    words = {"blueprint": {"deployment": {"bake": "3h"}}}
    with pytest.raises(PermanentError, match="540 minutes of watching, but a job on GitHub has room for 240"):
        workflow(words)


def test_no_workflow_for_what_is_not_delivered() -> None:
    assert not list(generate(service_from({"type": "library"})))
    assert not list(generate(service_from({"own": {"root": "https://gitlab.com/a/b"}})))
