"""gitlab/pipeline: a pipeline with checks by tier, an approval gate, a guard of the deployment window and canary steps.

The project's `.gitlab-ci.yml` includes the file. Job names begin with the service's, so that several services share a
pipeline, and only stages that every GitLab pipeline has are used.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.rollout.commands import Commands, check_command, script, targets
from nthlayer_sync.rollout.policy import Rollout, hosted_on, rollout_of, window_variables
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.yaml.emit import dump

_DEFAULT_BRANCH = "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"
_PROPOSAL = '$CI_PIPELINE_SOURCE == "merge_request_event"'
_COMMANDS = Commands().by_name()
_MINUTES = Commands().minutes

Job = dict[str, Any]


class PipelineSpec(Spec, frozen=True):
    """A pipeline; `commands` and `minutes` are the organisation's."""

    rollout: Rollout
    commands: dict[str, str]
    minutes: int


def generate(service: Service, commands: dict[str, str] = _COMMANDS, minutes: int = _MINUTES) -> Iterator[PipelineSpec]:
    """One for every service that is delivered, unless its repository is evidently on GitHub."""
    rollout = rollout_of(service)
    if rollout and hosted_on(service) != "github":
        yield PipelineSpec(rollout=rollout, commands=commands, minutes=minutes)


def render(spec: PipelineSpec) -> str:
    """A part of a pipeline. https://docs.gitlab.com/ci/yaml/"""
    rollout = spec.rollout
    jobs = {
        **{f"{rollout.slug}:{check}": _check(spec, check) for check in rollout.policy.checks},
        f"{rollout.slug}:deliver": _deliver(spec),
        f"{rollout.slug}:roll-back": _roll_back(spec),
    }
    return dump(jobs, header=_header(spec))


def _header(spec: PipelineSpec) -> str:
    rollout, commands = spec.rollout, spec.commands
    managed = (
        f"Managed by {MARK}: change the blueprint, not this file.\n"
        f"Include it in .gitlab-ci.yml: include: [local: {_path(rollout.slug)}]"
    )
    checks = [check_command(check, rollout.build, commands) for check in rollout.policy.checks]
    if made := targets([*checks, *(commands[name] for name in ("deploy", "verify", "roll-back"))]):
        managed += f"\nThe Makefile of the service must have these targets: {', '.join(made)}."
    if not rollout.policy.approvals:
        return managed
    people = "1 person" if rollout.policy.approvals == 1 else f"{rollout.policy.approvals} people"
    return (
        f"{managed}\nThe environment {rollout.environment} must ask {people}: Settings, CI/CD, Protected environments."
    )


def _check(spec: PipelineSpec, check: str) -> Job:
    """A load test hits what is running, so a proposal does not start one."""
    command = check_command(check, spec.rollout.build, spec.commands)
    proposals = [] if check == "load-test" else [_when(spec, _PROPOSAL)]
    return {
        "stage": "test",
        "needs": [],
        "timeout": f"{spec.minutes} minutes",
        "variables": _literal(spec.rollout.variables),
        "script": [*_enter(spec), command],
        "rules": [*proposals, _when(spec, _DEFAULT_BRANCH)],
    }


def _deliver(spec: PipelineSpec) -> Job:
    rollout = spec.rollout
    window = rollout.policy.window
    told = rollout.variables | rollout.policy.stepping | (window_variables(window) if window else {})
    wait = {"when": "manual"} if rollout.policy.approvals else {}
    # https://docs.gitlab.com/ci/runners/configure_runners/#set-script-and-after_script-timeouts
    delivering = rollout.policy.watched + spec.minutes
    limits = {"RUNNER_SCRIPT_TIMEOUT": f"{delivering}m", "RUNNER_AFTER_SCRIPT_TIMEOUT": f"{spec.minutes}m"}
    job: Job = {
        "stage": "deploy",
        "needs": [f"{rollout.slug}:{check}" for check in rollout.policy.checks],
        **_gate(rollout),
        "interruptible": False,
        "timeout": f"{delivering + spec.minutes} minutes",
        "variables": _literal(told | limits | _commands(spec, "deploy", "verify", "roll-back")),
        "script": [*_enter(spec), *([_apart(script("window"))] if window else []), _apart(script("deliver"))],
        "rules": [{**_when(spec, _DEFAULT_BRANCH), **wait}],
    }
    if rollout.policy.rollback:
        # GitLab runs it in a new shell, and after a job that was cancelled, too.
        undo = f'if [ "$CI_JOB_STATUS" != success ]; then\n{_apart(script("roll_back"))}\nfi'
        job["after_script"] = [*_enter(spec), undo]
    return job


def _roll_back(spec: PipelineSpec) -> Job:
    """By hand: whoever starts it knows why, so it asks neither checks nor the window."""
    return {
        "stage": "deploy",
        "needs": [],
        **_gate(spec.rollout),
        "timeout": f"{spec.minutes} minutes",
        "variables": _literal(spec.rollout.variables | _commands(spec, "roll-back")),
        "script": [*_enter(spec), 'sh -ec "$ROLL_BACK_COMMAND"'],
        "rules": [{"if": _DEFAULT_BRANCH, "when": "manual", "allow_failure": True}],
    }


def _gate(rollout: Rollout) -> Job:
    """One delivery at a time."""
    return {"environment": {"name": rollout.environment}, "resource_group": rollout.environment}


def _when(spec: PipelineSpec, condition: str) -> Job:
    folder = spec.rollout.folder
    changes = {"changes": [f"{folder}/**/*", _path(spec.rollout.slug)]} if folder else {}
    return {"if": condition, **changes}


def _enter(spec: PipelineSpec) -> list[str]:
    return [f"cd {spec.rollout.folder}"] if spec.rollout.folder else []


def _apart(text: str) -> str:
    """A shell of its own: GitLab joins all lines of a job into one script, which the script's settings would change."""
    return f"(\n{text})"


def _commands(spec: PipelineSpec, *names: str) -> dict[str, str]:
    return {f"{name.upper().replace('-', '_')}_COMMAND": spec.commands[name] for name in names}


def _literal(variables: dict[str, str]) -> Job:
    """GitLab would replace `$PERCENT` in a command before any shell has set it."""
    return {
        name: {"value": value, "expand": False} if "$" in value else value for name, value in sorted(variables.items())
    }


def _path(slug: str) -> str:
    return f".gitlab/nthlayer-{slug}.yml"


PIPELINE = FileKind(
    name="gitlab/pipeline",
    version=1,
    summary="pipeline: checks by tier, approval, deployment window, canary steps, roll-back",
    subject=Service,
    spec=PipelineSpec,
    generate=generate,
    path=lambda service, spec: _path(spec.rollout.slug),
    beside=Beside.TOP,
    render=render,
)
