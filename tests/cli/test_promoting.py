"""drift --promote as a user runs it: in a folder, and in a Git repository."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.cli.test_cli import run

GIT = ("git", "-c", "user.name=a", "-c", "user.email=a@example.com")
CATALOG = """\
apiVersion: backstage.io/v1alpha1
kind: Component
metadata:
  name: pay
  annotations:
    nthlayer.dev/tier: "1"
spec: {type: service, lifecycle: production, owner: team}
"""
HPA = ("default/pay/kubernetes/hpa.yaml", "minReplicas: 3", "minReplicas: 7")
ALERT = ("default/pay/prometheus/alerts.rules.yaml", "> 0) > 0.01", "> 0) > 0.02")


def git(*words: str, cwd: Path) -> str:
    return subprocess.run([*GIT, *words], cwd=cwd, check=True, capture_output=True, text=True).stdout


def edit(folder: Path, *edits: tuple[str, str, str]) -> None:
    """What a person does to files that we wrote."""
    clone = folder / "clone"
    git("clone", "-q", "-b", "nthlayer-sync", str(folder / "operations.git"), str(clone), cwd=folder)
    for path, old, new in edits:
        text = (clone / path).read_text()
        assert old in text
        (clone / path).write_text(text.replace(old, new, 1))
    git("commit", "-qam", "by hand", cwd=clone)
    git("push", "-q", cwd=clone)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One service in a folder, with settings as `init` writes them."""
    folder = tmp_path / "pay"
    folder.mkdir()
    (folder / "catalog-info.yaml").write_text(CATALOG)
    run("init", cwd=folder)
    git("init", "-q", "--bare", "operations.git", cwd=folder)
    git("init", "-q", ".", cwd=folder)
    git("add", "catalog-info.yaml", cwd=folder)
    git("commit", "-qm", "x", cwd=folder)
    return folder


@pytest.fixture
def pay(folder: Path) -> Path:
    """The same, everything applied."""
    run("apply", "--yes", cwd=folder)
    return folder


def test_an_edit_becomes_the_blueprint_and_is_no_drift_any_more(pay):
    blueprint = pay / "nthlayer.yaml"
    blueprint.write_text("# Ours\nservice:\n  cost:\n    autoscaling:\n      min: 3 # two zones\n")
    run("apply", "--yes", cwd=pay)
    edit(pay, HPA)
    shown = run("drift", "--promote", cwd=pay, rc=1)
    assert "cost.autoscaling.min = 7" in shown.stdout
    assert "+      min: 7 # two zones" in shown.stdout
    assert "--yes" in shown.stderr
    assert "min: 3" in blueprint.read_text()

    done = run("drift", "--promote", "--yes", cwd=pay)
    assert "1 of 1 live edit said by blueprints now" in done.stdout
    assert blueprint.read_text() == "# Ours\nservice:\n  cost:\n    autoscaling:\n      min: 7 # two zones\n"
    planned = json.loads(run("plan", "--format", "json", cwd=pay, rc=2).stdout)
    assert [(change["kind"], change["action"]) for change in planned["changes"]] == [("kubernetes/hpa", "adopt")]
    run("apply", "--yes", cwd=pay)
    run("plan", cwd=pay)
    assert "No drift" in run("drift", "--promote", cwd=pay).stdout


def test_what_cannot_be_said_stays_drift_and_others_can_be_chosen(pay):
    edit(pay, HPA, ALERT)
    done = json.loads(
        run("drift", "--promote", "kubernetes/hpa pay", "--yes", "--format", "json", cwd=pay).stdout
    )  # fmt: skip
    assert [promotion["said"] for promotion in done["promotions"]] == [{"cost.autoscaling.min": 7}]
    assert (pay / "nthlayer.yaml").read_text().endswith("service:\n  cost:\n    autoscaling:\n      min: 7\n")
    left = run("drift", "--promote", "--yes", cwd=pay, rc=2).stdout
    assert 'observability.golden.error_rate = "2%"' in left
    assert "not said groups[0].rules[0].annotations.summary" in left
    assert "apply --enforce" in left
    run("apply", "--yes", "--enforce", cwd=pay)
    assert "nothing to do" in run("plan", cwd=pay).stdout


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--yes",), "only --promote"),
        (("kubernetes/hpa pay",), "only --promote"),
        (("--promote", "kubernetes/hpa pay"), "nobody changed kubernetes/hpa component:default/pay by hand"),
        (("--promote", "hpa"), "names no config"),
        (("--promote", "--format", "markdown"), "text or JSON"),
    ],
)
def test_words_that_mean_nothing_are_errors(pay, words, said):
    assert said in run("drift", *words, cwd=pay, rc=1).stderr


def test_two_components_in_one_folder_need_a_name_for_the_file(pay):
    (pay / "catalog-info.yaml").write_text(CATALOG + "---\n" + CATALOG.replace("name: pay", "name: shop"))
    git("commit", "-qam", "two", cwd=pay)
    run("apply", "--yes", cwd=pay)
    edit(pay, HPA)
    assert "name a file for component:default/pay in" in run("drift", "--promote", "--yes", cwd=pay, rc=2).stdout
    text = (pay / "catalog-info.yaml").read_text()
    named = text.replace("  annotations:\n", "  annotations:\n    nthlayer.dev/blueprint: pay.yaml\n", 1)
    (pay / "catalog-info.yaml").write_text(named)
    run("drift", "--promote", "kubernetes/hpa pay", "--yes", cwd=pay)
    assert "min: 7" in (pay / "pay.yaml").read_text()


def test_in_a_repository_it_is_a_commit_on_our_branch(folder):
    git("clone", "-q", "--bare", str(folder), "catalog.git", cwd=folder)
    settings = folder / "nthlayer-sync.yaml"
    ours = '  - type: directory\n    path: "."\n'
    assert ours in settings.read_text()
    settings.write_text(settings.read_text().replace(ours, "  - {type: git, name: catalog, url: catalog.git}\n"))
    run("apply", "--yes", cwd=folder)
    edit(folder, HPA)
    done = run("drift", "--promote", "--yes", cwd=folder)
    assert "branch nthlayer-sync; in force once that is merged" in done.stdout
    written = git("show", "nthlayer-sync:nthlayer.yaml", cwd=folder / "catalog.git")
    assert written.endswith("service:\n  cost:\n    autoscaling:\n      min: 7\n")
    # Said again before that is merged, it changes nothing.
    tip = git("rev-parse", "nthlayer-sync", cwd=folder / "catalog.git")
    run("drift", "--promote", "--yes", cwd=folder)
    assert git("rev-parse", "nthlayer-sync", cwd=folder / "catalog.git") == tip
    branch = git("symbolic-ref", "--short", "HEAD", cwd=folder / "catalog.git").strip()
    git("update-ref", f"refs/heads/{branch}", tip.strip(), cwd=folder / "catalog.git")
    planned = json.loads(run("plan", "--format", "json", cwd=folder, rc=2).stdout)
    assert ("kubernetes/hpa", "adopt") in [(change["kind"], change["action"]) for change in planned["changes"]]
