"""What a pipeline runs: the organisation's own commands, and for checks what is usual for the language."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from importlib.resources import files
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

Check = Literal["tests", "lint", "security-scan", "load-test"]

MAKE = "make"
"""The build of a service that shows no manifest: every check is a target of its Makefile."""


def _python(*packages: str, run: str) -> str:
    """Each check has an environment of its own: that of the machine may not be written to (PEP 668)."""
    return f"python3 -m venv .venv\n.venv/bin/pip install --quiet {' '.join(packages)}\n.venv/bin/{run}"


_BY_BUILD: Mapping[str, Mapping[str, str]] = {
    "python": {
        "tests": _python(".", "pytest", run="pytest"),
        "lint": _python("ruff", run="ruff check ."),
        "security-scan": _python("pip-audit", run="pip-audit ."),
    },
    "pip": {
        "tests": _python("--requirement", "requirements.txt", "pytest", run="pytest"),
        "lint": _python("ruff", run="ruff check ."),
        "security-scan": _python("pip-audit", run="pip-audit --requirement requirements.txt"),
    },
    "node": {
        "tests": "npm ci\nnpm test",
        "lint": "npm ci\nnpm run lint",
        "security-scan": "npm audit --audit-level=high",
    },
    "go": {
        "tests": "go test ./...",
        "lint": "go vet ./...",
        "security-scan": "go run golang.org/x/vuln/cmd/govulncheck@v1.1.4 ./...",
    },
    "rust": {
        "tests": "cargo test --locked",
        "lint": "cargo clippy --locked -- --deny warnings",
        "security-scan": "cargo install --locked cargo-audit\ncargo audit",
    },
    "maven": {
        "tests": "mvn --batch-mode --no-transfer-progress verify",
        "lint": "mvn --batch-mode --no-transfer-progress org.apache.maven.plugins:maven-checkstyle-plugin:3.6.0:check",
        "security-scan": "mvn --batch-mode --no-transfer-progress org.owasp:dependency-check-maven:12.1.0:check",
    },
    "gradle": {
        "tests": "./gradlew test",
        "lint": "./gradlew check --exclude-task test",
        "security-scan": "./gradlew dependencyCheckAnalyze",
    },
    MAKE: {
        "tests": "make test",
        "lint": "make lint",
        "security-scan": "make security-scan",
        "load-test": "make load-test",
    },
}
_BY_MANIFEST: Mapping[str, str] = {
    "pyproject.toml": "python",
    "setup.py": "python",
    "requirements.txt": "pip",
    "package.json": "node",
    "go.mod": "go",
    "Cargo.toml": "rust",
    "pom.xml": "maven",
    "build.gradle": "gradle",
    "build.gradle.kts": "gradle",
}


class Commands(BaseModel):
    """The organisation's commands. They see what is delivered as environment variables: `SERVICE`, `NAMESPACE`, `TIER`,
    `STRATEGY` and, when deploying and verifying, `PERCENT`, the share of traffic that the new version should have.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    checks: dict[Check, str] = Field(
        default={},
        description="Commands of checks. One that is left out follows from what the service is built with.",
    )
    deploy: str = Field(default="make deploy", description="Gives the new version $PERCENT percent of the traffic.")
    verify: str = Field(default="make verify", description="Fails when the new version does not do well.")
    roll_back: str = Field(default="make roll-back", description="Gives all traffic to the version before.")
    minutes: int = Field(
        default=60,
        ge=1,
        le=120,
        description="How long each check, all deploying and verifying, and rolling back may take.",
    )

    def by_name(self) -> dict[str, str]:
        """All that are given, under one name each."""
        return {**self.checks, "deploy": self.deploy, "verify": self.verify, "roll-back": self.roll_back}


def build_of(manifests: tuple[str, ...]) -> str:
    """What a service is built with, as the dependency manifests in its folder show."""
    for manifest, build in _BY_MANIFEST.items():
        if manifest in manifests:
            return build
    return MAKE


def check_command(check: str, build: str, given: Mapping[str, str]) -> str:
    """What to run for a check: what the organisation gave, or what is usual for the build."""
    return given.get(check) or _BY_BUILD[build].get(check) or _BY_BUILD[MAKE][check]


def targets(commands: Iterable[str]) -> tuple[str, ...]:
    """The targets that a service's Makefile must have for these commands."""
    found = [re.fullmatch(r"make ([\w.-]+)", command) for command in commands]
    return tuple(dict.fromkeys(match[1] for match in found if match))


def script(name: Literal["window", "deliver", "roll_back"]) -> str:
    """One of the scripts, POSIX shell."""
    return (files("nthlayer_sync.rollout") / "scripts" / f"{name}.sh").read_text(encoding="utf-8")
