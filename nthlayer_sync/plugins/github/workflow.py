"""github/workflow: a pipeline with checks by tier, an approval gate, a guard of the deployment window and canary steps.

One job delivers all steps, because a job is what GitHub asks approval for: three steps are one decision. Taking a
failing version back is a step of the same job, so that it waits for nobody; it runs when the job is cancelled, too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.service import Service
from nthlayer_sync.rollout.commands import Commands, check_command, script, targets
from nthlayer_sync.rollout.policy import Rollout, branch_of, hosted_on, rollout_of, slug_of, window_variables
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.quote import github
from nthlayer_sync.yaml.emit import dump

CHECKOUT = "actions/checkout@08c6903cd8c0fde910a37f88322edcfb5dd907a8"
CHECKOUT_VERSION = "v5.0.0"
LONGEST_JOB = 360
"""Minutes after which GitHub ends a job on its own machines. https://docs.github.com/en/actions/reference/limits"""

_ROLL_BACK = "roll-back"
_LOAD_TEST = "load-test"
# A title is shown in lists; what is longer is cut there anyhow.
_LONGEST_TITLE = 100

Job = dict[str, Any]


class Runs(msgspec.Struct, frozen=True):
    """What the organisation's settings say about every pipeline: see the settings of the plugin."""

    commands: dict[str, str]
    minutes: int
    runner: str
    secrets: tuple[str, ...]


_RUNS = Runs(Commands().by_name(), Commands().minutes, "ubuntu-24.04", ())


class WorkflowSpec(Spec, frozen=True):
    """A pipeline; `branch` is the one that is delivered, "" when it is not known."""

    title: str
    branch: str
    rollout: Rollout
    runs: Runs


def workflow_path(service: Service) -> str:
    """Where a service's workflow stands in its repository."""
    return _path(slug_of(service.ref))


def proposal_checks(rollout: Rollout) -> tuple[str, ...]:
    """The names by which checks report on every pull request.

    There are none where the workflow looks at one folder: what it does not start for would be waited for without end.
    """
    return () if rollout.folder else tuple(_title(each) for each in rollout.policy.checks if each != _LOAD_TEST)


def generate(service: Service, runs: Runs = _RUNS) -> Iterator[WorkflowSpec]:
    """One for every service that is delivered, unless its repository is evidently on GitLab."""
    rollout = rollout_of(service)
    if rollout is None or hosted_on(service) == "gitlab":
        return
    longest = LONGEST_JOB - 2 * runs.minutes
    if rollout.policy.watched > longest:
        raise PermanentError(
            f"{service.ref}: deployment.bake and canary_percent make {rollout.policy.watched} minutes of watching,"
            f" but a job on GitHub has room for {longest}"
        )
    yield WorkflowSpec(title=service.label, branch=branch_of(service), rollout=rollout, runs=runs)


def render(spec: WorkflowSpec) -> str:
    """A workflow. https://docs.github.com/en/actions/reference/workflow-syntax-for-github-actions"""
    rollout = spec.rollout
    document = {
        "name": github(spec.title)[:_LONGEST_TITLE] or rollout.slug,
        "on": _triggers(spec),
        "permissions": {},
        "concurrency": {
            "group": f"nthlayer-{rollout.slug}-${{{{ github.ref }}}}-${{{{ inputs.action }}}}",
            "cancel-in-progress": "${{ github.event_name == 'pull_request' }}",
        },
        "env": rollout.variables,
        "jobs": {
            **{check: _check(spec, check) for check in rollout.policy.checks},
            "deliver": _deliver(spec),
            _ROLL_BACK: _roll_back(spec),
        },
    }
    text = dump(document, header=_header(spec))
    # Tools that renew pins read the version from the end of the line.
    return text.replace(f"uses: {CHECKOUT}\n", f"uses: {CHECKOUT} # {CHECKOUT_VERSION}\n")


def _header(spec: WorkflowSpec) -> str:
    rollout, commands = spec.rollout, spec.runs.commands
    managed = f"Managed by {MARK}: change the blueprint, not this file."
    checks = [check_command(check, rollout.build, commands) for check in rollout.policy.checks]
    if made := targets([*checks, *(commands[name] for name in ("deploy", "verify", _ROLL_BACK))]):
        managed += f"\nThe Makefile of the service must have these targets: {', '.join(made)}."
    if not rollout.policy.approvals:
        return managed
    reviewers = "1 reviewer" if rollout.policy.approvals == 1 else f"{rollout.policy.approvals} reviewers"
    return (
        f"{managed}\nThe environment {rollout.environment} must ask for {reviewers}: repository settings, Environments."
    )


def _triggers(spec: WorkflowSpec) -> Job:
    folder = spec.rollout.folder
    own = _path(spec.rollout.slug)
    paths: Job = {"paths": [f"{folder}/**", own]} if folder else {}
    branches: Job = {"branches": [spec.branch]} if spec.branch else {}
    return {
        "push": branches | paths or None,
        "pull_request": paths or None,
        "workflow_dispatch": {
            "inputs": {
                "action": {
                    "description": "What to do",
                    "type": "choice",
                    "options": ["deliver", _ROLL_BACK],
                    "default": "deliver",
                },
                "emergency": {
                    "description": "Deliver even outside the deployment window",
                    "type": "boolean",
                    "default": False,
                },
            }
        },
    }


def _check(spec: WorkflowSpec, check: str) -> Job:
    """A load test hits what is running, so a proposal does not start one."""
    proposals = "github.event_name != 'pull_request' && " if check == _LOAD_TEST else ""
    command = check_command(check, spec.rollout.build, spec.runs.commands)
    return {
        "name": _title(check),
        "if": f"{proposals}inputs.action != '{_ROLL_BACK}'",
        **_machine(spec),
        "timeout-minutes": spec.runs.minutes,
        "steps": [_checkout(), {"name": "Check", "run": command}],
    }


def _title(check: str) -> str:
    return check.replace("-", " ").capitalize()


def _deliver(spec: WorkflowSpec) -> Job:
    rollout = spec.rollout
    default = "github.ref == format('refs/heads/{0}', github.event.repository.default_branch)"
    watching = f", watching each for {rollout.policy.bake} seconds" if rollout.policy.bake else ""
    steps = " %, ".join(map(str, rollout.policy.steps))
    window = rollout.policy.window
    guard = {
        "name": "Look at the deployment window",
        "env": (window_variables(window) if window else {}) | {"EMERGENCY": "${{ inputs.emergency }}"},
        "run": script("window"),
    }
    deliver = {
        "name": f"Deliver: {steps} %{watching}",
        "env": rollout.policy.stepping | _commands(spec, "deploy", "verify"),
        "timeout-minutes": rollout.policy.watched + spec.runs.minutes,
        "run": script("deliver"),
    }
    return {
        "name": "Deliver",
        "if": f"github.event_name != 'pull_request' && inputs.action != '{_ROLL_BACK}' && {default}",
        **({"needs": list(rollout.policy.checks)} if rollout.policy.checks else {}),
        **_machine(spec),
        **_gate(rollout),
        "timeout-minutes": rollout.policy.watched + 2 * spec.runs.minutes,
        "steps": [
            _checkout(),
            *([guard] if window else []),
            deliver,
            *([_undo(spec, "failure() || cancelled()")] if rollout.policy.rollback else []),
        ],
    }


def _roll_back(spec: WorkflowSpec) -> Job:
    """By hand: whoever starts it knows why, so it asks neither checks nor the window."""
    return {
        "name": "Roll back",
        "if": f"github.event_name == 'workflow_dispatch' && inputs.action == '{_ROLL_BACK}'",
        **_machine(spec),
        **_gate(spec.rollout),
        "timeout-minutes": spec.runs.minutes,
        "steps": [_checkout(), {"name": "Roll back", "env": _commands(spec, _ROLL_BACK), "run": _RUN_ROLL_BACK}],
    }


_RUN_ROLL_BACK = 'sh -ec "$ROLL_BACK_COMMAND"'


def _undo(spec: WorkflowSpec, when: str) -> Job:
    return {"name": "Take it back", "if": when, "env": _commands(spec, _ROLL_BACK), "run": script("roll_back")}


def _machine(spec: WorkflowSpec) -> Job:
    folder = spec.rollout.folder
    where = {"defaults": {"run": {"working-directory": folder}}} if folder else {}
    return {"runs-on": spec.runs.runner, "permissions": {"contents": "read"}, **where}


def _gate(rollout: Rollout) -> Job:
    """One delivery at a time, and none is cut off half-way by the next."""
    lock = {"group": f"nthlayer-{rollout.slug}-deliver", "cancel-in-progress": False}
    return {"environment": rollout.environment, "concurrency": lock}


def _commands(spec: WorkflowSpec, *names: str) -> dict[str, str]:
    secrets = {name: f"${{{{ secrets.{name} }}}}" for name in sorted(spec.runs.secrets)}
    return {f"{name.upper().replace('-', '_')}_COMMAND": spec.runs.commands[name] for name in names} | secrets


def _path(slug: str) -> str:
    return f".github/workflows/nthlayer-{slug}.yaml"


def _checkout() -> Job:
    return {"name": "Check out", "uses": CHECKOUT, "with": {"persist-credentials": False}}


WORKFLOW = FileKind(
    name="github/workflow",
    version=1,
    summary="pipeline: checks by tier, approval, deployment window, canary steps, roll-back",
    subject=Service,
    spec=WorkflowSpec,
    generate=generate,
    path=lambda service, spec: _path(spec.rollout.slug),
    beside=Beside.TOP,
    render=render,
)
