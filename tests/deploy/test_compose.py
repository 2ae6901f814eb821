"""compose.yaml: held to the Compose specification, and what each container may do."""

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import nthlayer_sync
from nthlayer_sync.settings import load_settings


@pytest.fixture
def folder(deploy: Path) -> Path:
    return deploy / "compose"


@pytest.fixture
def compose(folder: Path) -> dict[str, Any]:
    return yaml.safe_load((folder / "compose.yaml").read_text())


def test_it_is_what_the_specification_says(folder: Path, tool: Callable[[str], str]) -> None:
    command = [tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", folder / "compose.yaml"]
    told = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert told.returncode == 0, told.stdout


def test_no_container_may_more_than_it_needs(compose: dict[str, Any]) -> None:
    for name, service in compose["services"].items():
        assert service["read_only"], name
        assert service["cap_drop"] == ["ALL"], name
        assert "cap_add" not in service, name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not service.get("privileged"), name
        assert re.search(r":[^:]*\d[^:]*$", service["image"]), "an image has a version"
        assert "latest" not in service["image"]


def test_images_are_of_this_version(compose: dict[str, Any]) -> None:
    assert f"nthlayer-sync:{nthlayer_sync.__version__}" in compose["services"]["nthlayer-sync"]["image"]


def test_secrets_are_files_and_nothing_else(compose: dict[str, Any], folder: Path) -> None:
    for name, service in compose["services"].items():
        for key, value in service.get("environment", {}).items():
            assert not re.search("PASSWORD|TOKEN|SECRET", key) or value.startswith("/run/secrets/"), f"{name}: {key}"
        assert set(service["secrets"]) <= compose["secrets"].keys()
    named = re.findall(r"file:/run/secrets/(\S+)", (folder / "nthlayer-sync.yaml").read_text())
    assert set(named) == set(compose["services"]["nthlayer-sync"]["secrets"])
    assert all(secret["file"].startswith("secrets/") for secret in compose["secrets"].values())


def test_what_is_written_outlives_the_containers(compose: dict[str, Any]) -> None:
    kept = {volume.split(":")[0]: volume.split(":")[1] for s in compose["services"].values() for volume in s["volumes"]}
    assert kept == {"work": "/var/lib/nthlayer-sync", "database": "/var/lib/postgresql/data"}
    assert kept.keys() == compose["volumes"].keys()


def test_only_the_daemon_reaches_the_database_and_only_this_machine_the_daemon(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert services["database"]["networks"] == ["memory"]
    assert compose["networks"]["memory"] == {"internal": True}
    assert "ports" not in services["database"]
    assert services["nthlayer-sync"]["ports"] == ["127.0.0.1:8080:8080"]


def test_its_settings_fit_its_containers(compose: dict[str, Any], folder: Path) -> None:
    settings, daemon = load_settings(folder / "nthlayer-sync.yaml"), compose["services"]["nthlayer-sync"]
    assert settings.state.url == "postgresql://nthlayer@database/nthlayer"  # pyright: ignore[reportAttributeAccessIssue]
    assert settings.cache.startswith("/var/lib/nthlayer-sync/")
    assert settings.serve.listen == "0.0.0.0:8080"
    assert settings.serve.access
    assert int(daemon["stop_grace_period"].removesuffix("s")) > settings.serve.grace.seconds
    assert daemon["depends_on"]["database"]["condition"] == "service_healthy"
    assert "healthcheck" in compose["services"]["database"]
