"""The configuration, held to amtool and to the published schema."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.service import Organisation
from nthlayer_sync.plugins.alertmanager import AlertmanagerSettings, Plugin
from nthlayer_sync.sdk.quote import line
from nthlayer_sync.sdk.testing import organisation_from

GOLDEN = sorted(Path(__file__).parent.glob("route/*/then.yaml"))
MAIL = {"smarthost": "smtp.example.com:587", "sender": "alerts@example.com", "username": "alerts"}
TEAMS = (
    {"ref": "group:default/payments", "name": "payments", "channel": "#payments", "email": "payments@example.com"},
    {"ref": "group:ops/payments", "name": "payments", "email": "ops@example.com"},
    {"ref": "group:default/silent", "name": "silent"},
)

Accepted = Callable[..., str]


def written(organisation: Organisation, **settings: Any) -> str:
    plugin = Plugin(AlertmanagerSettings(**settings), None)
    [config] = plugin.generate_configs(organisation)
    return plugin.kind(config.id.kind).content(config.spec)


def routed(accepted: Accepted, file: Path, *labels: str) -> str:
    return accepted("amtool", "config", "routes", "test", "--config.file", file, *labels).strip()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "alertmanager.yaml"
    path.write_text(written(organisation_from({"teams": TEAMS}), mail=MAIL))
    return path


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.parent.name)
def test_golden_cases_are_accepted(path: Path, accepted: Accepted, shared: Path) -> None:
    accepted("amtool", "check-config", path)
    schema = json.loads((shared / "specs/artefacts/alertmanager/prometheus-alertmanager.schema.json").read_text())
    jsonschema.validate(yaml.safe_load(path.read_text()), schema)


@pytest.mark.parametrize(
    ("labels", "receiver"),
    [
        (("owner=group:default/payments", "severity=page"), "group:default/payments page"),
        (("owner=group:default/payments", "severity=ticket"), "group:default/payments ticket"),
        (("owner=group:ops/payments", "severity=page"), "group:ops/payments page"),
        (("owner=group:default/payments",), "group:default/payments page"),
        (("owner=group:default/silent", "severity=page"), "default"),
        (("owner=group:default/paymentsx", "severity=ticket"), "default"),
        (("severity=page",), "default"),
        (("alertname=Watchdog",), "default"),
    ],
)
def test_alerts_reach_their_owner(accepted: Accepted, file: Path, labels: tuple[str, ...], receiver: str) -> None:
    assert routed(accepted, file, *labels) == receiver


def test_receivers(accepted: Accepted, file: Path) -> None:
    accepted("amtool", "check-config", file)
    receivers = {receiver.pop("name"): receiver for receiver in yaml.safe_load(file.read_text())["receivers"]}
    mail = [{"to": "ops@example.com", "send_resolved": True}]
    [slack] = receivers["group:default/payments ticket"]["slack_configs"]
    assert (slack["channel"], slack["send_resolved"]) == ("#payments", True)
    assert set(receivers["group:default/payments ticket"]) == {"slack_configs"}
    assert set(receivers["group:default/payments page"]) == {"slack_configs", "email_configs"}
    assert receivers["group:ops/payments ticket"] == receivers["group:ops/payments page"] == {"email_configs": mail}
    assert "group:default/silent page" not in receivers


def test_what_slack_shows(accepted: Accepted, tmp_path: Path) -> None:
    alerts = [
        {
            "status": "firing",
            "labels": {"alertname": "ErrorRateHigh", "service": "payments"},
            "annotations": {
                "summary": "<!channel> payments & more",
                "description": "More than 1%.",
                "runbook_url": "https://backstage.example.com/docs/x#errorratehigh",
                "dashboard": "https://grafana.example.com/d/x",
            },
        },
        {"status": "resolved", "labels": {"alertname": "LatencyHigh"}, "annotations": {"summary": "Late"}},
    ]
    data = {
        "status": "firing",
        "alerts": alerts,
        "commonLabels": {"service": "payments", "severity": "page"},
        "commonAnnotations": {},
        "externalURL": "https://alertmanager.example.com",
    }
    [slack] = yaml.safe_load(written(organisation_from({})))["receivers"][0]["slack_configs"]
    (tmp_path / "data.json").write_text(json.dumps(data))
    (tmp_path / "empty.tmpl").write_text("")
    given = ["--template.glob", tmp_path / "empty.tmpl", "--template.data", tmp_path / "data.json"]

    def shown(field: str) -> str:
        return accepted("amtool", "template", "render", *given, f"--template.text={slack[field]}").strip()

    assert shown("title") == "1 firing: payments (page)"
    assert shown("title_link") == "https://alertmanager.example.com"
    assert shown("text").splitlines() == [
        "*&lt;!channel&gt; payments &amp; more*",
        "More than 1%.",
        "Runbook: https://backstage.example.com/docs/x#errorratehigh",
        "Dashboard: https://grafana.example.com/d/x",
        "*Late* (resolved)",
    ]
    data["commonAnnotations"] = alerts[0]["annotations"]
    (tmp_path / "data.json").write_text(json.dumps(data))
    assert shown("title_link") == "https://backstage.example.com/docs/x#errorratehigh"


def test_secrets_stay_in_files(file: Path) -> None:
    settings = yaml.safe_load(file.read_text())["global"]
    assert settings["slack_api_url_file"].startswith("/")
    assert settings["smtp_auth_password_file"].startswith("/")
    assert not {"slack_api_url", "smtp_auth_password"} & settings.keys()


def test_tickets_can_be_told_at_any_time() -> None:
    organisation = organisation_from({})
    assert "time_interval" not in written(organisation, ticket_hours=None)
    always = {"name": "always", "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]}
    organisation = organisation_from({"windows": [{**always, "opens": 0, "closes": 1440, "timezone": "UTC"}]})
    assert "time_interval" not in written(organisation, ticket_hours="always")
    with pytest.raises(PermanentError, match=r"ticket_hours names 'night', .* it has: always"):
        written(organisation, ticket_hours="night")


def test_hours_of_another_time_zone(accepted: Accepted, tmp_path: Path) -> None:
    window = {"name": "w", "days": ["sun", "mon"], "opens": 570, "closes": 1440, "timezone": "Europe/Berlin"}
    path = tmp_path / "alertmanager.yaml"
    path.write_text(written(organisation_from({"windows": [window]}), ticket_hours="w"))
    accepted("amtool", "check-config", path)
    [interval] = yaml.safe_load(path.read_text())["time_intervals"]
    assert interval["time_intervals"] == [
        {
            "weekdays": ["monday", "sunday"],
            "times": [{"start_time": "09:30", "end_time": "24:00"}],
            "location": "Europe/Berlin",
        }
    ]


def test_hostile_teams_stay_values(hostile: str, accepted: Accepted, tmp_path: Path) -> None:
    team = {
        "ref": f"group:default/{hostile}",
        "name": hostile,
        "channel": f"#{hostile}",
        "email": f"{hostile}@example.com",
    }
    path = tmp_path / "alertmanager.yaml"
    path.write_text(written(organisation_from({"teams": [team, *TEAMS]}), mail=MAIL))
    accepted("amtool", "check-config", path)
    assert routed(accepted, path, "owner=group:default/payments", "severity=page") == "group:default/payments page"
    document = yaml.safe_load(path.read_text())
    assert len(document["receivers"]) == 1 + 2 * 3
    assert document["receivers"][0]["name"] == "default"
    [matcher] = next(
        route["matchers"]
        for route in document["route"]["routes"]
        if route["receiver"] == f"group:default/{hostile} page"
    )
    quoted = re.fullmatch(r'owner="((?:[^"\\\n]|\\["\\n])*)"', matcher)
    assert quoted
    assert re.sub(r"\\(.)", lambda found: "\n" if found[1] == "n" else found[1], quoted[1]) == team["ref"]


def test_hostile_channels_are_no_templates(hostile: str, accepted: Accepted, tmp_path: Path) -> None:
    """Alertmanager expands the field as a Go template: what comes out is the channel."""
    team = {"ref": "group:default/a", "name": "a", "channel": hostile}
    channel = yaml.safe_load(written(organisation_from({"teams": [team]})))["receivers"][1]["slack_configs"][0][
        "channel"
    ]
    empty = tmp_path / "empty.tmpl"
    empty.write_text("")
    shown = accepted("amtool", "template", "render", "--template.glob", empty, f"--template.text={channel}")
    assert shown.strip() == line(hostile)
