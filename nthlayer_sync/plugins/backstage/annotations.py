"""backstage/annotations: what came of a service's blueprint, as annotations and links of its entity."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.entity import OUTPUT_PREFIX, Link
from nthlayer_sync.model.ref import ref_parts
from nthlayer_sync.model.service import Home, Service
from nthlayer_sync.plugins.backstage.catalog import CatalogKeys, canonical
from nthlayer_sync.sdk.kind import Beside, FileKind
from nthlayer_sync.signals import golden, packs, slo
from nthlayer_sync.signals.alert import Alert
from nthlayer_sync.signals.promql import promql_selector, span
from nthlayer_sync.signals.watched import dashboard_path

# https://backstage.io/docs/features/software-catalog/well-known-annotations
TECHDOCS_REF = "backstage.io/techdocs-ref"
PROJECT_SLUG = "github.com/project-slug"
# https://github.com/backstage/community-plugins/blob/main/workspaces/grafana/plugins/grafana/docs/dashboards-on-component-page.md
# Its alert selector finds only alerts that Grafana itself manages; ours are Prometheus's.
DASHBOARDS = "grafana/dashboard-selector"
# https://github.com/RoadieHQ/roadie-backstage-plugins/tree/main/plugins/frontend/backstage-plugin-prometheus
GRAPHS = "prometheus.io/rule"
ALERTS = "prometheus.io/alert"
ALERT_LABELS = "prometheus.io/labels"

TIER = OUTPUT_PREFIX + "tier"
RUNBOOK = OUTPUT_PREFIX + "runbook"
PROMISES = OUTPUT_PREFIX + "slo"

SHOWN_BY = {
    "github": (PROJECT_SLUG,),
    "grafana": (DASHBOARDS,),
    "prometheus": (GRAPHS, ALERTS, ALERT_LABELS),
    "techdocs": (TECHDOCS_REF, RUNBOOK),
}
"""The keys that each plugin of Backstage shows."""
GITHUB = "https://github.com/"


class Alerting(msgspec.Struct, frozen=True):
    """What a service's alerts are made from; their names stand in an annotation."""

    promised: slo.Slo | None
    measured: golden.Golden
    stores: tuple[packs.Instance, ...]

    @property
    def names(self) -> list[str]:
        """The names of all alerts."""
        found: tuple[Alert, ...] = (
            *(slo.alerts(self.promised) if self.promised else ()),
            *golden.alerts(self.measured),
            *(alert for store in self.stores for alert in packs.alerts(store)),
        )
        return sorted({alert.name for alert in found})


class AnnotationsSpec(Spec, frozen=True):
    """Annotations and links to write; `alerting` is None where people have said themselves which alerts to show."""

    annotations: dict[str, str]
    links: tuple[Link, ...]
    alerting: Alerting | None

    def without(self, plugins: Collection[str]) -> AnnotationsSpec:
        """Only what other plugins of Backstage show."""
        keys = {key for plugin in plugins for key in SHOWN_BY[plugin]}
        return AnnotationsSpec(
            annotations={key: value for key, value in self.annotations.items() if key not in keys},
            links=() if "techdocs" in plugins else self.links,
            alerting=None if ALERTS in keys else self.alerting,
        )


def generate(service: Service) -> Iterator[AnnotationsSpec]:
    """One for every service. What people have set themselves is left out, and so never changed."""
    promised = slo.slo_of(service)
    wanted = {
        TIER: service.blueprint.tier,
        PROJECT_SLUG: _project_slug(service.own),
        TECHDOCS_REF: _techdocs_ref(service),
        DASHBOARDS: f"url @> '{dashboard_path(service.ref)}'",
    }
    links: tuple[Link, ...] = ()
    if promised:
        kept = "; ".join(objective.promise for objective in promised.promises.objectives)
        wanted[PROMISES] = f"{kept}; over {span(promised.promises.window)}"
        chosen = promql_selector({"entity": service.ref})
        wanted[GRAPHS] = f"{slo.REMAINING}{chosen}|slo,{slo.BURN_RATE}{chosen}|slo"
    if service.blueprint.documentation.runbook:
        parts = ref_parts(service.ref)
        wanted[RUNBOOK] = f"/docs/{parts.namespace}/{parts.kind}/{parts.name}/runbook"
        links = tuple(_links(service))
    theirs = service.annotations
    alerting = None
    if not (ALERTS in theirs or ALERT_LABELS in theirs):
        alerting = Alerting(promised, golden.golden_of(service), packs.instances_of(service))
    yield AnnotationsSpec(
        annotations={key: value for key, value in wanted.items() if value and key not in theirs},
        links=links,
        alerting=alerting,
    )


def render(spec: AnnotationsSpec) -> str:
    """The keys and links in the form that `CatalogKeys` reads them in."""
    annotations = dict(spec.annotations)
    if spec.alerting and (names := spec.alerting.names):
        # Services share names of alerts, so the labels have to tell them apart.
        annotations[ALERTS] = ",".join(names)
        annotations[ALERT_LABELS] = f"entity={spec.alerting.measured.watched.ref}"
    return canonical(annotations, [_fields(link) for link in spec.links])


def _fields(link: Link) -> dict[str, str]:
    fields: dict[str, Any] = json.loads(msgspec.json.encode(link))
    return fields


def _project_slug(home: Home | None) -> str:
    return home.slug if home and home.root.startswith(GITHUB) else ""


def _techdocs_ref(service: Service) -> str:
    """Where TechDocs finds mkdocs.yml: seen from the catalog file, or by address where that stands elsewhere."""
    own, entity = service.own, service.entity
    if own is None or entity is None:
        return ""
    if own.root == entity.root:
        folder = posixpath.relpath(own.folder or ".", entity.folder or ".")
        return "" if folder.startswith("..") else f"dir:{folder}"
    branch = service.facts.default_branch if service.facts else ""
    slug = _project_slug(own)
    return f"url:{GITHUB}{slug}/tree/{branch}/{own.folder}".rstrip("/") if slug and branch else ""


def _links(service: Service) -> Iterator[Link]:
    """Backstage refuses entities whose links are not whole addresses, so the page's own is given, on the code host.

    https://github.com/backstage/backstage/blob/master/packages/catalog-model/src/entity/policies/FieldFormatEntityPolicy.ts
    """
    slug = _project_slug(service.own)
    if slug and service.own:
        folder = f"{service.own.folder}/" if service.own.folder else ""
        url = f"{GITHUB}{slug}/blob/HEAD/{folder}docs/runbook.md"
        if all(link.url != url for link in service.links):
            yield Link(url=url, title="Runbook", icon="docs")


ANNOTATIONS = FileKind(
    name="backstage/annotations",
    version=1,
    summary="tier, promises, runbook and what other Backstage plugins read, in catalog-info.yaml",
    subject=Service,
    spec=AnnotationsSpec,
    generate=generate,
    path=lambda service, spec: "",
    render=render,
    beside=Beside.ENTITY,
    owns=lambda id: CatalogKeys(id.subject),
    requires=(
        "techdocs/runbook",
        "techdocs/site",
        "techdocs/index",
        "techdocs/dependency_graph",
        "techdocs/onboarding",
    ),
)
