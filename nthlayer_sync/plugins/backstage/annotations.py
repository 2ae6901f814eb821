"""backstage/annotations: what came of a service's blueprint, as annotations and links of its entity."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from typing import Any

import msgspec

from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.entity import OUTPUT_PREFIX, Link
from nthlayer_sync.model.ref import EntityRef, ref_parts
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
# https://github.com/PagerDuty/backstage-plugin
SERVICE_ID = "pagerduty.com/service-id"

TIER = OUTPUT_PREFIX + "tier"
RUNBOOK = OUTPUT_PREFIX + "runbook"
PROMISES = OUTPUT_PREFIX + "slo"
RESULTS = (TIER, RUNBOOK, PROMISES)

SHOWN_BY = {
    "github": (PROJECT_SLUG,),
    "grafana": (DASHBOARDS,),
    "pagerduty": (SERVICE_ID,),
    "prometheus": (GRAPHS, ALERTS, ALERT_LABELS),
    "techdocs": (TECHDOCS_REF,),
}
"""The keys that each plugin of Backstage shows."""
GITHUB = "https://github.com/"


class AnnotationsSpec(Spec, frozen=True):
    """What annotations and links are made from; `keys` are those outside our prefix that are ours to set."""

    ref: EntityRef
    tier: str
    slug: str
    techdocs: str
    links: tuple[Link, ...]
    runbook: bool
    keys: tuple[str, ...]
    promised: slo.Slo | None
    measured: golden.Golden
    stores: tuple[packs.Instance, ...]
    remotes: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    """The vendors' ids of what was made for the service."""


def generate(
    service: Service, *, shown: Collection[str] = tuple(SHOWN_BY), published: bool = False
) -> Iterator[AnnotationsSpec]:
    """One for every service; `shown` are the plugins that Backstage has. What people set themselves is left alone.

    `published` says that sites are published; not that of a service which has documentation of its own.
    """
    facts = service.facts
    published = published and not (facts and (facts.docs or facts.mkdocs))
    # There is a dashboard only where something runs.
    known = [plugin for plugin in shown if plugin != "grafana" or service.runs]
    runbook = service.blueprint.documentation.runbook and "techdocs" in shown
    yield AnnotationsSpec(
        ref=service.ref,
        tier=service.blueprint.tier,
        slug=_project_slug(service.own),
        techdocs="dir:." if published else _techdocs_ref(service),
        links=tuple(_links(service)) if runbook and not published else (),
        runbook=runbook,
        keys=tuple(key for plugin in known for key in SHOWN_BY[plugin] if key not in service.annotations),
        promised=slo.slo_of(service),
        measured=golden.golden_of(service),
        stores=packs.instances_of(service),
    )


def render(spec: AnnotationsSpec) -> str:
    """The keys and links in the form that `CatalogKeys` reads them in."""
    wanted = {
        TIER: spec.tier,
        PROJECT_SLUG: spec.slug,
        TECHDOCS_REF: spec.techdocs,
        DASHBOARDS: f"url @> '{dashboard_path(spec.ref)}'",
        SERVICE_ID: spec.remotes.get("pagerduty/service", ""),
    }
    if spec.promised:
        kept = "; ".join(f"{o.name}: {o.promise}" for o in spec.promised.promises.objectives)
        chosen = promql_selector({"entity": spec.ref})
        wanted[PROMISES] = f"{kept}; over {span(spec.promised.promises.window)}"
        wanted[GRAPHS] = f"{slo.REMAINING}{chosen}|slo,{slo.BURN_RATE}{chosen}|slo"
    if spec.runbook:
        parts = ref_parts(spec.ref)
        wanted[RUNBOOK] = f"/docs/{parts.namespace}/{parts.kind}/{parts.name}/runbook"
    names = _alert_names(spec)
    if names and ALERTS in spec.keys and ALERT_LABELS in spec.keys:
        # Services share names of alerts, so the labels have to tell them apart.
        wanted |= {ALERTS: ",".join(names), ALERT_LABELS: f"entity={spec.ref}"}
    annotations = {key: text for key, text in wanted.items() if text and (key in spec.keys or key in RESULTS)}
    return canonical(annotations, [_fields(link) for link in spec.links])


def _alert_names(spec: AnnotationsSpec) -> list[str]:
    found: tuple[Alert, ...] = (
        *(slo.alerts(spec.promised) if spec.promised else ()),
        *golden.alerts(spec.measured),
        *(alert for store in spec.stores for alert in packs.alerts(store)),
    )
    return sorted({alert.name for alert in found})


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
        if own.folder == entity.folder:
            return "dir:."
        above = f"{entity.folder}/" if entity.folder else ""
        return f"dir:./{own.folder.removeprefix(above)}" if own.folder.startswith(above) else ""
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
    refers=("pagerduty/service",),
    requires=(
        "techdocs/runbook",
        "techdocs/site",
        "techdocs/index",
        "techdocs/dependency_graph",
        "techdocs/onboarding",
    ),
)
