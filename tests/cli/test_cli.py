"""The commands as a user runs them, in processes of their own, on the sample organisation."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from nthlayer_sync.demo import lay_out


def run(*words: str, cwd: Path, rc: int = 0) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "NO_COLOR": "1", "COLUMNS": "60"}
    done = subprocess.run(
        [sys.executable, "-c", "from nthlayer_sync.cli import main; main()", *words],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=110,
    )
    assert done.returncode == rc, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    lay_out(tmp_path / "sample")
    return tmp_path / "sample"


@pytest.fixture
def service(tmp_path: Path) -> Path:
    """A catalog of one service, with settings as `init` writes them, in a folder that is no repository."""
    (tmp_path / "catalog-info.yaml").write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: pay\n  annotations:\n"
        '    nthlayer.dev/tier: "1"\nspec:\n  type: service\n  lifecycle: production\n  owner: team\n'
    )
    run("init", cwd=tmp_path)
    return tmp_path


def test_the_demo_runs_end_to_end_and_again(tmp_path):
    done = run("demo", cwd=tmp_path)
    again = done.stdout.partition("plan, again")[2]
    assert "2 refused." in again, "only the channels that people made are in the way"
    assert "to create" not in again
    assert "already" in run("demo", cwd=tmp_path, rc=1).stderr
    run("demo", "--fresh", cwd=tmp_path)


def test_plan_apply_drift_undo(sample):
    made = json.loads(run("plan", "--format", "json", "--out", "p.plan", cwd=sample, rc=2).stdout)
    assert {change["action"] for change in made["changes"]} == {"create"}
    applied = json.loads(run("apply", "p.plan", "--format", "json", cwd=sample).stdout)
    assert {result["outcome"] for result in applied["results"]} == {"done"}
    assert "nothing to do" in run("plan", cwd=sample).stdout
    assert "No drift" in run("drift", cwd=sample).stdout
    undone = json.loads(run("undo", "--yes", "--format", "json", cwd=sample).stdout)
    assert len(undone["results"]) == len(applied["results"])
    again = json.loads(run("plan", "--format", "json", cwd=sample, rc=2).stdout)
    assert again["changes"] == made["changes"]


def test_a_plan_file_carries_all_that_was_said_and_can_be_undone(sample):
    run("plan", "--out", "p.plan", cwd=sample, rc=2)
    assert (
        "plan --allow-deletes 9 --enforce --out p.plan"
        in run("apply", "p.plan", "--allow-deletes", "9", "--enforce", cwd=sample, rc=1).stderr
    )
    applied = run("apply", "p.plan", cwd=sample).stdout
    assert re.search(r"applied \d+ in \S+/operations\.git: commit [0-9a-f]{40}, branch nthlayer-sync", applied)
    assert "undone" in run("undo", "p.plan", "--yes", cwd=sample).stdout
    assert "nothing to undo" in run("undo", "--yes", cwd=sample, rc=1).stderr


def test_what_is_no_plan_file_is_said_so(tmp_path, sample):
    (sample / "q.plan").write_text("")
    assert "q.plan is no plan file: it has" in run("apply", "q.plan", cwd=sample, rc=1).stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--gone", "payments-api"), "still shows it"),
        (("--gone", "nosuch"), "no source ever showed it"),
        (("--drop-source", "nosuch"), "nothing is remembered of it"),
        (("--drop-source", "catalog"), "the settings still name it"),
        (("--allow-shrink", "nosuch"), "the settings name no such source"),
    ],
)
def test_words_that_cannot_be_true_are_errors(sample, words, said):
    assert said in run("plan", *words, cwd=sample, rc=1).stderr


def test_a_plan_of_nothing_but_refusals_is_no_success(service):
    planned = run("plan", "--out", "p.plan", cwd=service, rc=1).stdout
    refused = [line for line in planned.splitlines() if line.startswith("x refuse")]
    assert len(refused) == 2  # one for each root, however many configs
    assert f"{service} is no Git repository; to make it one: git init {service}" in refused[0]
    assert "there is nothing in it to apply" in planned
    run("apply", "p.plan", cwd=service, rc=1)
    assert "could not be looked at" in run("drift", cwd=service, rc=1).stdout


def test_drift_shows_what_people_did(service):
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    subprocess.run([*git, "init", "-q", "--bare", "operations.git"], cwd=service, check=True)
    subprocess.run([*git, "init", "-q", "."], cwd=service, check=True)
    subprocess.run([*git, "add", "catalog-info.yaml"], cwd=service, check=True)
    subprocess.run([*git, "commit", "-qm", "x"], cwd=service, check=True)
    run("apply", "--yes", cwd=service)
    subprocess.run([*git, "clone", "-q", "-b", "nthlayer-sync", "operations.git", "clone"], cwd=service, check=True)
    file = service / "clone/default/pay/kubernetes/hpa.yaml"
    file.write_text(file.read_text().replace("minReplicas: 3", "minReplicas: 77"))
    subprocess.run([*git, "commit", "-qam", "x"], cwd=service / "clone", check=True)
    subprocess.run([*git, "push", "-q"], cwd=service / "clone", check=True)
    shown = run("drift", "--diff", cwd=service, rc=2).stdout
    assert [line.strip() for line in shown.splitlines() if line.strip()[:1] in "-+"] == [
        "--- wanted",
        "+++ live",
        "-  minReplicas: 3",
        "+  minReplicas: 77",
    ]


def test_an_edited_plan_file_is_refused(sample):
    run("plan", "--out", "p.plan", cwd=sample, rc=2)
    file = sample / "p.plan"
    file.write_text(file.read_text().replace("kubernetes/hpa", "kubernetes/hpb"))
    assert "p.plan" in run("apply", "p.plan", cwd=sample, rc=1).stderr


def test_apply_without_a_terminal_wants_a_yes(sample):
    assert "--yes" in run("apply", cwd=sample, rc=1).stderr
    run("apply", "--yes", cwd=sample)


def test_markdown_and_diff(sample):
    text = run("plan", "--format", "markdown", "--diff", cwd=sample, rc=2).stdout
    assert text.startswith("### Plan `")
    assert "<details>" in text


def test_validate_finds_what_the_sample_was_made_with(sample):
    found = json.loads(run("validate", "--format", "json", cwd=sample).stdout)
    codes = {finding["code"] for finding in found}
    assert {"conflict", "tier-inversion", "slo-ceiling"} <= codes
    run("validate", "--strict", cwd=sample, rc=1)
    log = json.loads(run("validate", "--format", "sarif", cwd=sample).stdout)
    assert log["version"] == "2.1.0"
    assert len(log["runs"][0]["results"]) == len(found)
    suite = ElementTree.fromstring(run("validate", "--format", "junit", cwd=sample).stdout)
    assert int(suite.get("tests", "0")) == len(found)


def test_validate_names_file_line_and_column(tmp_path):
    (tmp_path / "catalog-info.yaml").write_text(
        "apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: pay\n  annotations:\n"
        '    nthlayer.dev/tier: "9"\nspec:\n  type: service\n  lifecycle: production\n  owner: team\n'
    )
    run("init", cwd=tmp_path)
    stdout = run("validate", cwd=tmp_path, rc=1).stdout
    assert "catalog-info.yaml:6:" in stdout
    assert "'9'" in stdout


def test_why_names_the_origin(sample):
    found = json.loads(
        run("why", "payments-api", "kubernetes/hpa", "minReplicas", "--format", "json", cwd=sample).stdout
    )
    (explanations,) = found.values()
    (explanation,) = explanations
    assert explanation["value"] == "3"
    assert {"input": "cost.autoscaling.min", "value": "3", "origin": "tier 1"} in explanation["reasons"]


@pytest.mark.parametrize(("format", "start"), [("mermaid", "flowchart"), ("dot", "digraph"), ("json", "{")])
def test_graph(sample, format, start):
    assert run("graph", "payments-api", "--format", format, cwd=sample).stdout.startswith(start)


def test_blast_radius(sample):
    assert "component:default/orders" in run("graph", "resource:orders-db", "--blast-radius", cwd=sample).stdout


def test_generate_writes_below_a_new_folder_only(sample):
    run("generate", "ledger", "--out", "out", cwd=sample)
    assert list((sample / "out").rglob("hpa.yaml"))
    assert "not empty" in run("generate", "ledger", "--out", "out", cwd=sample, rc=1).stderr


def test_generate_prints_one_config_as_it_is(sample):
    assert "kind: HorizontalPodAutoscaler" in run("generate", "ledger", "kubernetes/hpa", cwd=sample).stdout


def test_kinds_without_settings(tmp_path):
    rows = json.loads(run("kinds", "--format", "json", cwd=tmp_path).stdout)
    assert "kubernetes/hpa" in {row["kind"] for row in rows}
    assert not any(row["on"] for row in rows)
    lines = run("kinds", cwd=tmp_path).stdout.splitlines()
    assert len(lines) == len(rows)
    assert all(line.endswith(row["summary"]) for line, row in zip(lines, rows, strict=True))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "one YAML document"),
        ("organisation: acme\nsources: []\n", "sources"),
        ("organisation: acme\nsources: [{type: directory, path: .}]\nintervall: 5\n", "intervall"),
        ("organisation: acme\nsources: [{type: directory, path: .}]\nplugins: {nosuch: {}}\n", "nosuch"),
        ("organisation: acme\nsources: [{type: directory, path: .}]\nplugins: {kubernetes: {home: x}}\n", "home"),
        ("organisation: acme\nsources: [{type: directory, path: .}]\ndefaults: {tier: '9'}\n", "tier"),
        ("a: [\n", "nthlayer-sync.yaml:"),
    ],
)
def test_bad_settings_are_explained(tmp_path, text, words):
    (tmp_path / "nthlayer-sync.yaml").write_text(text)
    assert words in run("plan", cwd=tmp_path, rc=1).stderr


def test_missing_settings_point_to_init(tmp_path):
    assert "init" in run("plan", cwd=tmp_path, rc=1).stderr


def test_an_unknown_entity_gets_a_suggestion(sample):
    assert "payments-api" in run("why", "payment-api", "kubernetes/hpa", cwd=sample, rc=1).stderr


def test_init_counts_paths_from_the_settings_file(tmp_path):
    (tmp_path / "acme" / "catalog").mkdir(parents=True)
    (tmp_path / "acme" / "conf").mkdir()
    done = run("init", "catalog", "-c", "conf/nthlayer-sync.yaml", "--organisation", "acme", cwd=tmp_path / "acme")
    assert "git init --bare conf/operations.git" in done.stdout
    text = (tmp_path / "acme/conf/nthlayer-sync.yaml").read_text()
    assert 'path: "../catalog"' in text
    assert "0 entities" in run("validate", "-c", "conf/nthlayer-sync.yaml", cwd=tmp_path / "acme").stdout


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_disk_is_no_bug(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", "from nthlayer_sync.cli import main; main()", "kinds"],
            cwd=tmp_path,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=110,
        )
    assert done.returncode == 1
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


def test_init_never_overwrites(tmp_path):
    run("init", cwd=tmp_path)
    assert "not overwritten" in run("init", cwd=tmp_path, rc=1).stderr
