"""The Helm chart, rendered by Helm: what the cluster would be given for several sets of values."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import kubernetes_validate
import yaml

import nthlayer_sync
from nthlayer_sync.settings import PostgresSettings, Settings, load_settings

Render = Callable[..., dict[str, Any]]


def pod(found: dict[str, Any]) -> dict[str, Any]:
    return found["Deployment"]["spec"]["template"]["spec"]


def beside_backstage(found: dict[str, Any]) -> dict[str, Any]:
    """The pod spec that Backstage's chart makes of the values for it."""
    given = yaml.safe_load(found["Sidecar"]["data"]["values.yaml"])["backstage"]
    backstage = {"name": "backstage-backend", "image": "backstage:1", "volumeMounts": given["extraVolumeMounts"]}
    return {"containers": [backstage, *given["extraContainers"]], "volumes": given["extraVolumes"]}


def container(spec: dict[str, Any]) -> dict[str, Any]:
    (found,) = (each for each in spec["containers"] if each["name"] == "nthlayer-sync")
    return found


def test_helm_finds_nothing_to_say(helm: Render, each_set: str, values_of: Render) -> None:
    assert helm(values=values_of(each_set))["messages"] == ["icon is recommended"]


def test_a_cluster_takes_every_object(render: Render, each_set: str) -> None:
    found = render(each_set)
    items = [item for kind, item in found.items() if kind not in ("NOTES", "ServiceMonitor", "PrometheusRule")]
    if "Sidecar" in found:
        items.append({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": beside_backstage(found)})
    assert items
    for version in ("1.27", "1.30", "1.33", kubernetes_validate.latest_version()):
        for item in items:
            kubernetes_validate.validate(item, version, strict=True)


def test_the_operator_takes_its_objects(render: Render, shared: Path) -> None:
    found = render("everything")
    for kind in ("ServiceMonitor", "PrometheusRule"):
        schema = shared / f"specs/artefacts/prometheus-operator/monitoring.coreos.com/{kind.lower()}_v1.json"
        jsonschema.validate(found[kind], json.loads(schema.read_text()))
    (endpoint,) = found["ServiceMonitor"]["spec"]["endpoints"]
    assert endpoint["authorization"] == {"type": "Bearer", "credentials": {"name": "tokens", "key": "metrics"}}
    assert (
        found["ServiceMonitor"]["spec"]["selector"]["matchLabels"].items()
        <= found["Service"]["metadata"]["labels"].items()
    )
    assert found["ServiceMonitor"]["spec"]["jobLabel"] == "app.kubernetes.io/name"
    assert found["Service"]["metadata"]["labels"]["app.kubernetes.io/name"] == "nthlayer-sync", "the rules' job"
    assert endpoint["port"] == found["Service"]["spec"]["ports"][0]["name"]


def test_the_chart_has_the_rules_of_monitoring(deploy: Path, render: Render) -> None:
    rules = {path.name: path for path in (deploy / "monitoring").rglob("*.rules.yaml")}
    held = {path.name: path.read_text() for path in (deploy / "helm/nthlayer-sync/rules").iterdir()}
    assert held == {name: path.read_text() for name, path in rules.items()}
    groups = [
        group
        for path in sorted(rules.values(), key=lambda p: p.name)
        for group in yaml.safe_load(path.read_text())["groups"]
    ]
    assert render("everything")["PrometheusRule"]["spec"]["groups"] == groups


def test_versions_are_those_of_the_package(helm: Render, values_of: Render) -> None:
    metadata = helm(values=values_of("one"))["metadata"]
    assert metadata["appVersion"] == metadata["version"] == nthlayer_sync.__version__


def test_the_daemon_understands_its_settings(render: Render, tmp_path: Path) -> None:
    def settings(name: str, **others: Any) -> Settings:
        (tmp_path / "s.yaml").write_text(render(name, **others)["ConfigMap"]["data"]["nthlayer-sync.yaml"])
        return load_settings(tmp_path / "s.yaml")

    one, several = settings("one"), settings("everything")
    assert (one.state, one.cache) == ("/var/lib/nthlayer-sync/state.db", "/var/lib/nthlayer-sync/cache")
    assert one.serve.listen == "0.0.0.0:8080"
    assert isinstance(several.state, PostgresSettings)
    assert several.state.url == "postgresql://nthlayer@db.internal:6432/nthlayer"
    assert several.state.password == "file:/run/secrets/nthlayer-sync/database-password"
    assert several.serve.grace.seconds == 50
    assert settings("one", address="::").serve.address == ("::", 8080)


def test_what_people_write_arrives_as_they_wrote_it(render: Render, values_of: Render) -> None:
    """Helm reads numbers as floats; nothing here is a template."""
    odd = {"a": 12345678901, "b": "{{ .Values }}", "c": "2026-12-20T00:00:00Z", "d": "on", "e": "012"}
    settings = values_of("one")["settings"] | {"defaults": odd}
    found = render("one", settings=settings, files={"a.txt": "x: {{ y }}\n\n"})["ConfigMap"]["data"]
    assert yaml.safe_load(found["nthlayer-sync.yaml"])["defaults"] == odd
    assert found["a.txt"] == "x: {{ y }}\n\n"


def test_the_container_may_little(render: Render, each_set: str) -> None:
    found = render(each_set)
    spec = beside_backstage(found) if "Sidecar" in found else pod(found)
    one = container(spec)
    assert one["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "runAsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }
    written = [mount["mountPath"] for mount in one["volumeMounts"] if not mount.get("readOnly")]
    assert written == ["/var/lib/nthlayer-sync"]
    assert {mount["name"] for mount in one["volumeMounts"]} == {volume["name"] for volume in spec["volumes"]}
    assert "limits" in one["resources"]
    assert not re.search(r"(?i)password|token", json.dumps(one.get("env", [])))


def test_new_settings_make_new_pods(render: Render) -> None:
    def mark(**others: Any) -> str:
        return render("one", **others)["Deployment"]["spec"]["template"]["metadata"]["annotations"]["checksum/settings"]

    assert mark() == mark(podLabels={"a": "b"})
    assert len({mark(), mark(grace=26), mark(files={"a": "b"})}) == 3


def test_a_packaged_chart_is_whole(helm: Render, render: Render, values_of: Render, tmp_path: Path) -> None:
    """The rules are links here; in a package they are files."""
    packed = helm(package=str(tmp_path))["packed"]
    made = helm(chart=packed, values=values_of("everything"))["made"]
    rules = yaml.safe_load_all(made["nthlayer-sync/templates/monitoring.yaml"])
    assert render("everything")["PrometheusRule"] in list(rules)
