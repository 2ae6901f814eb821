"""Which file describes which tool, what of it is repaired before use, and what it says wrongly."""

import json
from collections.abc import Callable
from typing import Any, NamedTuple


class Waiver(NamedTuple):
    """A complaint that is not counted.

    Attributes:
        operation: Glob for `tool METHOD /path/{template} status`.
        error: Regular expression for the complaint.
        reason: Why the file is wrong or behind.
    """

    operation: str
    error: str
    reason: str


SPECS: dict[str, list[tuple[str, str, str]]] = {
    "opsgenie": [("/v2/", "opsgenie/opsgenie.openapi3-converted.json", "")],
    "pagerduty": [("/", "pagerduty/rest-v2.openapi3.json.gz", "")],
    "statuspage": [("/v1/", "atlassian/statuspage-v1.openapi3.json", "/v1")],
    "datadog": [
        ("/api/v1/", "datadog/v1.openapi3.json.gz", ""),
        ("/api/v2/", "datadog/v2-reduced.openapi3.json.gz", ""),
    ],
    "grafana": [
        ("/api/plugins/", "grafana/slo-plugin.openapi3.json", "/api/plugins/grafana-slo-app/resources"),
        ("/api/", "grafana/http-api.openapi3-converted.json", "/api"),
    ],
    "slack": [("/api/", "slack/web-api.openapi3-converted.json", "/api")],
    "confluence": [("/wiki/api/v2/", "atlassian/confluence-cloud-v2.openapi3.json", "/wiki/api/v2")],
    "jira": [("/rest/api/3/", "atlassian/jira-cloud-v3.openapi3.json.gz", "")],
    "cortex": [("/api/v1/", "cortex/cortex.openapi3.json", "")],
    "github": [("/", "github/rest.openapi3.json.gz", "")],
    "gitlab": [("/api/v4/", "gitlab/v4.openapi3-converted.json.gz", "")],
    "kubernetes": [("/", "kubernetes/kubernetes-reduced.openapi3-converted.json", "")],
}
"""By tool: the paths a file is for, the file, and the base that its paths are below."""


def _grafana_slo(document: dict[str, Any]) -> None:
    """The one schema for requests and answers asks for the uuid, which the server gives."""
    operation = document["paths"]["/v1/slo"]["post"]
    schema = json.loads(json.dumps(document["components"]["schemas"]["slo.v0_0.Slo"]))
    schema["required"].remove("uuid")
    operation["requestBody"]["content"]["application/json"]["schema"] = schema


def _grafana(document: dict[str, Any]) -> None:
    """A dashboard that is read is described as one of a few fields; it is whatever was saved."""
    meta = document["components"]["schemas"]["DashboardFullWithMeta"]["properties"]
    meta["dashboard"] = {"type": "object", "additionalProperties": True}


def _slack(document: dict[str, Any]) -> None:
    """The file knows forms only, and JSON with the same fields is taken as well. The secret is in a header.

    A refusal is described as the default answer, and comes with the same status as success.
    """
    for item in document["paths"].values():
        for operation in item.values():
            parameters = operation.get("parameters", [])
            operation["parameters"] = [each for each in parameters if each.get("name") != "token"]
            content = (operation.get("requestBody") or {}).get("content", {})
            form = content.get("application/x-www-form-urlencoded")
            if form:
                form["schema"].get("properties", {}).pop("token", None)
                if "token" in form["schema"].get("required", []):
                    form["schema"]["required"].remove("token")
                content["application/json"] = form
            success, refusal = (
                operation["responses"][each]["content"]["application/json"] for each in ("200", "default")
            )
            success["schema"] = {"anyOf": [success["schema"], refusal["schema"]]}


def _kubernetes(document: dict[str, Any]) -> None:
    """The file was cut to what is in a namespace: a list of all of them is the same without the namespace.

    Every operation may be refused with a Status; the file tells of success and 401 only. An IntOrString is either, and
    the body of a patch is not always JSON.
    """
    document["components"]["schemas"]["io.k8s.apimachinery.pkg.util.intstr.IntOrString"] = {}
    for media in document["components"]["requestBodies"]["io.k8s.apimachinery.pkg.apis.meta.v1.Patch"][
        "content"
    ].values():
        media["schema"] = {}
    status = {"$ref": "#/components/schemas/io.k8s.apimachinery.pkg.apis.meta.v1.Status"}
    refusal = {"description": "refused", "content": {"application/json": {"schema": status}}}
    for path, item in list(document["paths"].items()):
        if path.endswith("}") or "/namespaces/{namespace}/" not in path or "get" not in item:
            continue
        rest = [each for each in item.get("parameters", []) if "namespace" not in json.dumps(each)]
        document["paths"][path.replace("/namespaces/{namespace}", "")] = {"get": dict(item["get"]), "parameters": rest}
    for item in document["paths"].values():
        for method, operation in item.items():
            if method in ("get", "put", "post", "patch", "delete"):
                operation["responses"] = {**operation["responses"], "4XX": refusal}
                operation["responses"].pop("401", None)


REPAIRS: dict[str, Callable[[dict[str, Any]], None]] = {
    "grafana/http-api.openapi3-converted.json": _grafana,
    "grafana/slo-plugin.openapi3.json": _grafana_slo,
    "kubernetes/kubernetes-reduced.openapi3-converted.json": _kubernetes,
    "slack/web-api.openapi3-converted.json": _slack,
}
"""What is changed in a file before it is used."""

_SUBTYPES = "Recipients have subtypes with a name, a username; the file links them by discriminator only."
_LATER = "The vendor's file is older than this part of its API."

WAIVERS: list[Waiver] = [
    Waiver("gitlab GET /api/v4/user 401", r"no such operation", "The file leaves out who is signed in."),
    Waiver("gitlab GET /api/v4/user 200", r"no such operation", "The file leaves out who is signed in."),
    Waiver("gitlab GET /api/v4/projects 200", r"unknown field", "Lists show whole projects to who is signed in."),
    Waiver("git* GET * 304", r"status 304", "Reads are conditional; the file says so for some only."),
    Waiver("git* * 404", r"status 404", "What is not there is 404 everywhere; the file lists it for most."),
    Waiver(
        "github * 20?", r"^answer: .*labels/\d+/description: None", "A label has no description until it is given one."
    ),
    Waiver("confluence * 4??", r"mimetype not found", "The file describes no body of a refusal."),
    Waiver("confluence * 409", r"status 409", "Versions and keys that clash are 409; the file does not list it."),
    Waiver(
        "confluence * 200",
        r"^answer: .*parentId: None",
        "The page at the top has no parent: null; the file knows only text.",
    ),
    Waiver("confluence * /wiki/rest/api/*", r"no such operation", "Labels are added over the older API."),
    Waiver("* 401", r"status 401", "Every operation refuses a wrong secret; not every file lists it everywhere."),
    Waiver("slack POST /usergroups.*", r"'(handle|name)_already_exists' is not one of", _LATER),
    Waiver(
        "cortex POST /api/v1/catalog/{tagOrId}/custom-data 200",
        r"is not of type 'string'|^request: : {'key'",  # the second where a long body hides the words
        "The body is an object.",
    ),
    Waiver(
        "gitlab *",
        r"^answer: .*(is not of type|None for not nullable)",
        "Generated from code: numbers as text, a list as one of its items, nothing is ever null.",
    ),
    Waiver(
        "gitlab * /api/v4/projects/*/protected_environments*", r"no such operation", "The file has the free edition."
    ),
    Waiver("slack * 429", r"'ratelimited' is not one of", "Every method may be limited; few list the word for it."),
    Waiver("grafana POST /dashboards/db 200", r"unknown field /slug", _LATER),
    Waiver("grafana PUT /folders/{folder_uid} 412", r"status 412", "In words the file has the version conflict."),
    Waiver("grafana * /v1/slo/{id} 404", r"status 404", "The file lists no answer for an id that is not there."),
    Waiver(
        "statuspage *", r"unknown field /error$", "Refusals have `error`; the file's one error schema says `message`."
    ),
    Waiver("statuspage *", r"^answer: .*: None", "Empty fields are null; the file marks nothing as nullable."),
    Waiver(
        "statuspage *",
        r"^answer: [^;]*(components: \[|position: \d)[^;]*is not of type 'string'",
        "A list of ids and a number, of which the file says that they are text.",
    ),
    Waiver("opsgenie *", r"unknown field /.*(participants/\*|recipient|user)/(username|name)$", _SUBTYPES),
    Waiver("opsgenie *", r"unknown field /.*timeRestriction/restrictions?$", _SUBTYPES),
    Waiver("opsgenie * /v1/services*", r"no such operation", _LATER),
    Waiver(
        "pagerduty * /schedules* 20?",
        r"^answer: .*schedule_layers/\d+/end: None",
        "PagerDuty sends null as the end of a layer that has none; the file knows only text.",
    ),
    Waiver(
        "pagerduty * /services* 20?",
        r"(^answer: .*support_hours|_timeout): None",
        "No support hours, and a time-out that is off (as the file says in words), are null.",
    ),
    Waiver(
        "pagerduty GET /schedules/{id}/overrides 200",
        r"status 200",
        "The file says that this read answers 201, which is the status of its neighbour.",
    ),
    Waiver(
        "pagerduty GET /incident_workflows/{id} 200",
        r"status 200",
        "The file says that this read answers 201, which is the status of its neighbour.",
    ),
    Waiver(
        "pagerduty DELETE /incident_workflows/* 204",
        r"status 204",
        "The file lists 200 and 201 without a body for these deletes, other than for every other delete.",
    ),
    Waiver(
        "pagerduty DELETE /escalation_policies/{id} 400",
        r"status 400",
        "The file says in words that a policy in use is not deleted, and lists no status for it.",
    ),
    Waiver(
        "pagerduty * * 404",
        r"status 404",
        "The file lists 404 for most reads and forgets it for some.",
    ),
    Waiver(
        "pagerduty * /services/{id}/integrations* 20?",
        r"^answer: unknown field /integration/integration_key",
        "Integrations that take events have a key; the file leaves it out of the schema.",
    ),
]
