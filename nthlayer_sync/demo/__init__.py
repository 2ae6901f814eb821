"""A sample organisation, to try everything on: `nthlayer-sync demo` lays it out and runs the main job on it.

`organisation/` holds what its repositories start with: `catalog` (teams, people, databases), `shop` and `payments`
(twelve services of three tiers). They have one conflict (CODEOWNERS names another owner of `search`) and one tier
inversion (`payments-api` leans on `fraud-check`). A fourth repository, `operations`, is empty and gets what has no
better home. SaaS tools are stand-ins on this machine: the sandbox.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from functools import partial
from importlib.resources import as_file, files
from pathlib import Path
from textwrap import indent
from typing import Any

from nthlayer_sync.sandbox import kept_apart
from nthlayer_sync.yaml.emit import dump

REPOSITORIES = ("catalog", "shop", "payments")
TOOLS = ("cortex", "datadog", "pagerduty", "slack", "statuspage")
"""The tools of the sample organisation, as the sandbox calls them."""
SETTINGS = """\
# nthlayer-sync demo: a sample organisation on this machine.
organisation: acme
code_host: acme
sources:
  - {type: git, name: catalog, url: repositories/catalog.git}
  - {type: git, name: shop, url: repositories/shop.git}
  - {type: git, name: payments, url: repositories/payments.git}
landing:
  central: repositories/operations.git
  author: nthlayer-sync <nthlayer-sync@example.com>
plugins:
  alertmanager: {}
  aws: {}
  backstage: {shown: [github, grafana, pagerduty, prometheus, techdocs]}
  github: {home: service}
  grafana: {}
  kubernetes: {}
  opa: {}
  openslo: {}
  prometheus: {}
  techdocs: {home: service}
"""
MARK = SETTINGS.partition("\n")[0]
"""The first line of a demo's settings: what has it may be removed for a fresh demo."""
# Fixed, so that the demo's repositories are the same every time.
_WHEN = "2026-01-05T09:00:00+00:00"


def lay_out(folder: Path, tools: Mapping[str, Mapping[str, Any]] | None = None) -> Path:
    """Make the sample organisation in `folder`, which must not exist yet; gives its settings file.

    `tools` says how each tool is reached: what its plugin's settings say, secrets as they are.
    """
    repositories = folder / "repositories"
    repositories.mkdir(parents=True)
    settings = folder / "nthlayer-sync.yaml"
    settings.write_text(SETTINGS + indent(_connections(folder, tools or {}), "  "))
    with as_file(files("nthlayer_sync.demo") / "organisation") as organisation:
        for name in REPOSITORIES:
            _repository(repositories / f"{name}.git", organisation / name)
    _git(repositories, "init", "--quiet", "--bare", "--initial-branch=main", "operations.git")
    return settings


def _connections(folder: Path, tools: Mapping[str, Mapping[str, Any]]) -> str:
    """The settings of each tool; its secrets in files beside, as they never stand in settings."""
    secrets = folder.absolute() / "secrets"
    secrets.mkdir(mode=0o700)

    def filed(tool: str, name: str, secret: str) -> str:
        file = secrets / f"{tool}-{name}"
        file.touch(mode=0o600)
        file.write_text(secret)
        return f"file:{file}"

    written = {name: kept_apart(settings, partial(filed, name)) for name, settings in tools.items()}
    return dump(written) if written else ""


def is_demo(folder: Path) -> bool:
    """Whether an earlier demo made `folder`."""
    settings = folder / "nthlayer-sync.yaml"
    return settings.is_file() and settings.read_text(errors="replace").startswith(MARK)


def _repository(bare: Path, content: Path) -> None:
    _git(bare.parent, "init", "--quiet", "--bare", "--initial-branch=main", bare.name)
    at_content = (f"--git-dir={bare.absolute()}", f"--work-tree={content}")
    _git(content, *at_content, "add", "--all", "--force", ".")
    _git(content, *at_content, "commit", "--quiet", "--message=Start")
    (bare / "index").unlink()


def _git(cwd: Path, *words: str) -> None:
    who = {f"GIT_{role}_{part}": value for role in ("AUTHOR", "COMMITTER") for part, value in _PERSON.items()}
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
    subprocess.run(["git", *words], cwd=cwd, check=True, env={**environment, **who}, timeout=60)


_PERSON = {"NAME": "Ada Lovelace", "EMAIL": "ada@example.com", "DATE": _WHEN}
