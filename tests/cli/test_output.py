"""What is printed of findings and results."""

from __future__ import annotations

import pytest

from nthlayer_sync.cli.output import REPEATED, cause, counted, print_diagnoses, print_results
from nthlayer_sync.cli.requests import near
from nthlayer_sync.model.config import ConfigId
from nthlayer_sync.model.diagnosis import Diagnosis
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.model.result import Outcome, Result

PAY = ConfigId("kubernetes/hpa", EntityRef("component:default/pay"))
SHIP = ConfigId("kubernetes/hpa", EntityRef("component:default/ship"))


def test_what_one_file_says_wrong_again_and_again_is_counted(capsys: pytest.CaptureFixture[str]):
    found = [Diagnosis(code="alias", message="no aliases", file="a.yaml", line=line) for line in range(1, 64)]
    print_diagnoses([*found, Diagnosis(code="alias", message="no aliases", file="b.yaml", line=1)])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "error a.yaml:1:0: no aliases [alias]"
    assert lines[REPEATED] == "error b.yaml:1:0: no aliases [alias]"
    assert lines[-1] == f"and {63 - REPEATED} more in a.yaml: no aliases [alias]"


def test_a_finding_says_nothing_twice():
    owner = Diagnosis(code="unknown-owner", message="group:default/t owns all", entity="group:default/t")
    assert str(owner) == "group:default/t owns all"
    wrong = Diagnosis(code="x", message="a is not text in quotes", found="1", allowed=("text in quotes",))
    assert str(wrong) == "a is not text in quotes (found '1')"
    tier = Diagnosis(code="x", message="unknown tier", found="9", allowed=("1",))
    assert str(tier) == "unknown tier (found '9'); allowed: 1"


def test_failures_of_one_reason_share_a_line_and_commits_name_their_repository(capsys: pytest.CaptureFixture[str]):
    failed = [Result(id=id, outcome=Outcome.FAILED, reason="the network is down") for id in (PAY, SHIP)]
    sha = "8" * 40
    done = [Result(id=PAY, outcome=Outcome.DONE, reference=sha), Result(id=SHIP, outcome=Outcome.DONE)]
    print_results("p", [*failed, *done], {PAY: "/ops.git", SHIP: "/ops.git"}, "sync")
    assert capsys.readouterr().out.splitlines() == [
        "failed kubernetes/hpa component:default/pay and 1 more: /ops.git: the network is down",
        "applied 1 in /ops.git",
        f"applied 1 in /ops.git: commit {sha}, branch sync",
        "Plan p: 2 done, 2 failed.",
    ]


def test_a_directory_that_is_no_repository_comes_with_its_cure(tmp_path):
    reason = "git ls-remote failed: fatal: '/x y' does not appear to be a git repository\nfatal: more"
    assert cause(reason, str(tmp_path)) == f"{tmp_path} is no Git repository; to make it one: git init {tmp_path}"
    assert cause(reason, "/x y.git").endswith("git init --bare '/x y.git'")
    assert cause(reason, "https://example.com/x") == f"https://example.com/x: {' '.join(reason.split())}"


def test_numbers_agree_with_their_words():
    assert [counted(n, "entity", "entities") for n in (0, 1, 2)] == ["0 entities", "1 entity", "2 entities"]
    assert counted(3, "write") == "3 writes"


def test_only_what_is_called_alike_is_suggested():
    known = [EntityRef(f"component:default/{name}") for name in ("payments-api", "orders")]
    assert near(EntityRef("component:default/payment-api"), known).endswith("component:default/payments-api?")
    assert near(EntityRef("component:default/zzz"), known) == ""


def test_an_unknown_outcome_and_what_is_kept_otherwise_are_said_plainly(capsys: pytest.CaptureFixture[str]):
    unknown = Result(id=PAY, outcome=Outcome.UNKNOWN, reason="no answer", temporary=True)
    kept = Result(id=SHIP, outcome=Outcome.DONE, reason="the live system keeps some of it otherwise")
    print_results("p", [unknown, kept], {}, "sync")
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(f"unknown {PAY}: no answer; it may or may not have been made")
    assert lines[1] == f"note {SHIP}: the live system keeps some of it otherwise"
    assert lines[-1] == "Plan p: 1 done, 1 unknown."
