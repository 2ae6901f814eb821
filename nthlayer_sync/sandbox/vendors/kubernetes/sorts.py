"""The sorts of objects that the stand-in holds: where, what the server adds to them, what it refuses.

Defaults are those of https://kubernetes.io/docs/reference/kubernetes-api/ and of the API server's own code.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

from nthlayer_sync.sandbox.collection import Item, part, parts

_UNITS = {"": 0, "Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4}


class Problem(NamedTuple):
    """A field that is not as it must be."""

    field: str
    reason: str


@dataclass(frozen=True)
class Sort:
    """One sort of object; `complete` fills in what was left out, `problems` says what is wrong."""

    api: str
    kind: str
    plural: str
    complete: Callable[[Item], None]
    problems: Callable[[Item], Iterator[Problem]]
    shown_when_deleted: bool = False
    """Whether a delete answers with the object; otherwise with a Status."""

    @property
    def group(self) -> str:
        """The API group, "" for the core."""
        return self.api.rpartition("/")[0]

    @property
    def full(self) -> str:
        """As messages name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural


def quantity(text: str) -> str:
    """As the server writes it, whatever form it came in."""
    found = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(m|Ki|Mi|Gi|Ti)?", str(text))
    if found is None:
        return str(text)
    number, unit = Decimal(found[1]), found[2] or ""
    if unit in ("", "m"):
        thousandths = int(number * (1 if unit else 1000))
        return f"{thousandths}m" if thousandths % 1000 else str(thousandths // 1000)
    count = number * 1024 ** _UNITS[unit]
    for name in ("Ti", "Gi", "Mi", "Ki"):
        if not count % 1024 ** _UNITS[name]:
            return f"{int(count / 1024 ** _UNITS[name])}{name}"
    return str(int(count))


def _hpa(item: Item) -> None:
    spec = part(item, "spec")
    spec.setdefault("minReplicas", 1)
    behaviour = spec.get("behavior")
    if behaviour is not None:
        row = {"type": "Percent", "value": 100, "periodSeconds": 15}
        down = behaviour.setdefault("scaleDown", {})
        down.setdefault("selectPolicy", "Max")
        down.setdefault("policies", [row])
        up = behaviour.setdefault("scaleUp", {})
        up.setdefault("stabilizationWindowSeconds", 0)
        up.setdefault("selectPolicy", "Max")
        up.setdefault("policies", [{"type": "Pods", "value": 4, "periodSeconds": 15}, row])
    item.setdefault("status", {"desiredReplicas": 0})


def _hpa_problems(item: Item) -> Iterator[Problem]:
    spec = part(item, "spec")
    if not spec.get("maxReplicas"):
        yield Problem("spec.maxReplicas", "Required value")
    elif spec["maxReplicas"] < spec.get("minReplicas", 1):
        yield Problem(
            "spec.maxReplicas",
            f"Invalid value: {spec['maxReplicas']}: must be greater than or equal to `minReplicas`",
        )


def _network_policy(item: Item) -> None:
    spec = part(item, "spec")
    for way in ("ingress", "egress"):
        if spec.get(way) == []:
            del spec[way]
        for rule in parts(spec, way):
            for port in rule.get("ports", ()):
                port.setdefault("protocol", "TCP")
    spec.setdefault("policyTypes", ["Ingress", *(["Egress"] if "egress" in spec else [])])


def _quota(item: Item) -> None:
    spec = part(item, "spec")
    spec["hard"] = {key: quantity(value) for key, value in part(spec, "hard").items()}
    item.setdefault("status", {})


def _limits(item: Item) -> None:
    for row in parts(part(item, "spec"), "limits"):
        for key in ("default", "defaultRequest", "max", "min", "maxLimitRequestRatio"):
            if key in row:
                row[key] = {name: quantity(value) for name, value in row[key].items()}
        if row.get("type") == "Container":
            filled = {**row.get("max", {}), **row.get("default", {})}
            asked = {**row.get("min", {}), **filled, **row.get("defaultRequest", {})}
            row |= {"default": filled} if filled else {}
            row |= {"defaultRequest": asked} if asked else {}


def _binding(item: Item) -> None:
    part(item, "roleRef").setdefault("apiGroup", "rbac.authorization.k8s.io")
    for subject in parts(item, "subjects"):
        if subject.get("kind") in ("User", "Group"):
            subject.setdefault("apiGroup", "rbac.authorization.k8s.io")


def _binding_problems(item: Item) -> Iterator[Problem]:
    if not part(item, "roleRef").get("name"):
        yield Problem("roleRef.name", "Required value")


def _role_problems(item: Item) -> Iterator[Problem]:
    for at, rule in enumerate(parts(item, "rules")):
        if not rule.get("verbs"):
            yield Problem(f"rules[{at}].verbs", "Required value: verbs must contain at least one value")


def _nothing(item: Item) -> None:
    pass


def _fine(item: Item) -> Iterator[Problem]:
    yield from ()


_RBAC = "rbac.authorization.k8s.io/v1"
SORTS = (
    Sort("v1", "ServiceAccount", "serviceaccounts", _nothing, _fine, shown_when_deleted=True),
    Sort("v1", "ResourceQuota", "resourcequotas", _quota, _fine, shown_when_deleted=True),
    Sort("v1", "LimitRange", "limitranges", _limits, _fine),
    Sort("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", _hpa, _hpa_problems),
    Sort("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", _network_policy, _fine),
    Sort(_RBAC, "Role", "roles", _nothing, _role_problems),
    Sort(_RBAC, "RoleBinding", "rolebindings", _binding, _binding_problems),
)
