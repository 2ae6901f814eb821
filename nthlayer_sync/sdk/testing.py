"""What a plugin's author tests with: services made from a few words, and golden cases.

A golden case is a folder `tests/plugins/<plugin>/<kind>/<case>/` with `when.yaml` (the subject, in the words of
`service_from`, and the plugin's `settings` where it needs any) and one `then*` file for each config: exactly the text
that must come out. What lands as no file is shown as JSON, indented and sorted for those who read it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import msgspec

from nthlayer_sync.blueprint.resolve import Layer, resolve
from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.errors import InputError
from nthlayer_sync.model.config import Config
from nthlayer_sync.model.entity import Link, Place
from nthlayer_sync.model.ref import entity_ref
from nthlayer_sync.model.service import Contact, Home, Hours, Neighbour, Organisation, Person, Service, Subject, Team
from nthlayer_sync.sdk.kind import FileKind
from nthlayer_sync.sdk.plugin import OperationalPlugin
from nthlayer_sync.yaml.read import read_documents

OWNER = Contact(
    ref=entity_ref("group", "payments-team"),
    name="payments-team",
    title="Payments Team",
    email="payments@example.com",
    channel="#payments",
    people=(
        Person(entity_ref("user", "ada"), "Ada Lovelace", "ada@example.com"),
        Person(entity_ref("user", "grace"), "Grace Hopper", "grace@example.com"),
    ),
    handle="acme/payments-team",
)

HOSTILE = (
    'a"b', "a'b", "a\\b", "a\\", "\\n", "a\nb: c", "a\r\nb", "a\rb", "a\tb", "a\u2028b\u2029c", "a\x85b",
    "a: b # c", "- a", "? a", "a: ", "#a", "!tag", "!!python/object:os.system", "&anchor", "*alias", "%YAML 1.1", "@a",
    "true", "null", "~", "0x10", "1e3", "2026-11-23", ".nan", "---", "...", "--- a\n---\nb", "[a", "{a", "a, b]", "<<",
    "{{ .Labels }}", "a}}{{b", '{{"x"}}', "{% raw %}", "{# a", "${{ github.token }}", "${{ secrets.X", "$(id)", "`id`",
    "${HOME}", "$HOME", "; rm -rf /", "&& id", "| id", "> /tmp/x", "${datasource}", "$__interval [[datasource]]", "$$",
    "a|b", "]]>", "<!--", "-->", "<script>alert(1)</script>", "<img src=x onerror=alert(1)>",
    "[a](javascript:alert(1))", "```", "~~~", "# a", "=====", "javascript:alert(1)", "file:///etc/passwd", "http://169.254.169.254/",
    '"} or vector(1) #', "a\u202eb\u2066c", "\u200b\ufeff", "\u0000\u001b[31m", "\x7f", "é漢😀", "e\u0301",
    "%s %d %n", "../../etc/passwd", "..", "/etc/passwd", ".git/config", "a/../../b", "CON", "a\\..\\b", "*", "*/",
    "#channel", "nthlayer-sync", "# nthlayer-sync: begin",
    "<!-- nthlayer-sync: begin x -->\n<!-- nthlayer-sync: end x -->", " ", "", "x" * 5000, "x y " * 1000, "\n" * 50,
)  # fmt: skip
"""Values that try to break out of what they are written into."""

HOURS = Hours("business-hours-only", ("mon", "tue", "wed", "thu", "fri"), 9 * 60, 16 * 60, "UTC")


def service_from(words: Mapping[str, Any]) -> Service:
    """A service from the fields of `Service` by name; what is left out gets an ordinary value.

    `tier` and `blueprint` (a written, partial blueprint) give the resolved one. Neighbours, the owner and homes are
    mappings with the fields of their types.
    """
    fields = dict(words)
    name = str(fields.pop("name", "payments"))
    namespace = str(fields.pop("namespace", "default"))
    blueprint, digest = _blueprint(str(fields.pop("tier", "1")), fields.pop("blueprint", {}))
    defaults: dict[str, Any] = {
        "ref": entity_ref("component", name, namespace),
        "type": "service",
        "lifecycle": "production",
        "owner": OWNER,
        "entity": Place("https://git.example.com/acme/payments", "catalog-info.yaml"),
        "own": Home("https://git.example.com/acme/payments", "", "acme/payments"),
        "central": Home("https://git.example.com/acme/operations", f"{namespace}/{name}"),
    }
    types = {field.name: field.type for field in msgspec.structs.fields(Service)}
    given = {key: msgspec.convert(value, types[key], strict=False) for key, value in fields.items()}
    return Service(
        name=name, namespace=namespace, blueprint=blueprint, blueprint_digest=digest, **{**defaults, **given}
    )


def hostile_services(value: str) -> Iterator[Service]:
    """A service with `value` in every text that people write, one kind of place at a time."""
    ordinary = service_from({})
    people = (Person(entity_ref("user", "ada"), value, value),)
    owner = msgspec.structs.replace(OWNER, title=value, email=value, channel=value, handle=value, people=people)
    other = Neighbour(entity_ref("resource", "db"), value, "resource", type=value, technology="redis", channel=value)
    changes: tuple[dict[str, Any], ...] = (
        {"title": value},
        {"description": value},
        {"language": value, "lifecycle": value},
        {"owner": owner},
        {"tags": (value,), "labels": {"a": value, value: "a"}},
        {"links": (Link(value, value, value, value), Link("https://example.com", value))},
        {"annotations": dict.fromkeys((*_READ, value), value)},
        {"depends_on": (other,), "dependents": (other,)},
        {"own": Home("https://git.example.com/acme/payments", "", value)},
    )
    for change in changes:
        yield msgspec.structs.replace(ordinary, **change)


_READ = (
    "backstage.io/kubernetes-id", "backstage.io/kubernetes-namespace", "backstage.io/techdocs-ref",
    "github.com/project-slug", "gitlab.com/project-slug", "grafana/dashboard-selector",
)  # fmt: skip
"""Annotations that kinds read."""


def team_from(words: Mapping[str, Any]) -> Team:
    """A team, likewise; `contact` and `services` are mappings with the fields of their types."""
    contact = msgspec.convert(words["contact"], Contact, strict=False) if "contact" in words else OWNER
    blueprint, digest = _blueprint(str(words.get("tier", "1")), words.get("blueprint", {}))
    return Team(
        ref=contact.ref,
        contact=contact,
        services=msgspec.convert(words.get("services", ()), tuple[Neighbour, ...], strict=False),
        central=Home("https://git.example.com/acme/operations", f"teams/{contact.name}"),
        blueprint=blueprint,
        blueprint_digest=digest,
    )


def organisation_from(words: Mapping[str, Any]) -> Organisation:
    """An organisation, likewise."""
    return Organisation(
        ref=entity_ref("organisation", str(words.get("name", "acme"))),
        name=str(words.get("name", "acme")),
        teams=msgspec.convert(words.get("teams", (msgspec.to_builtins(OWNER),)), tuple[Contact, ...], strict=False),
        tiers=tuple(words.get("tiers", ("1", "2", "3"))),
        windows=msgspec.convert(words.get("windows", (msgspec.to_builtins(HOURS),)), tuple[Hours, ...], strict=False),
        retention=dict(words.get("retention", {})),
        central=Home("https://git.example.com/acme/operations", ""),
    )


def subject_from(words: Mapping[str, Any]) -> Subject:
    """The subject a golden case names: `service:` (the default), `team:` or `organisation:`."""
    if "team" in words:
        return team_from(words["team"])
    if "organisation" in words:
        return organisation_from(words["organisation"])
    return service_from(words.get("service", words))


def subject_of(when: Path) -> Subject:
    """The subject of a golden case, from its `when.yaml`."""
    words = dict(_words(when))
    words.pop("settings", None)
    return subject_from(words)


def settings_of(when: Path) -> Mapping[str, Any]:
    """The plugin's settings in a golden case, from its `when.yaml`."""
    return cast("Mapping[str, Any]", _words(when).get("settings") or {})


def _words(when: Path) -> Mapping[str, Any]:
    documents, diagnoses = read_documents(when.read_bytes(), file=str(when))
    if diagnoses:
        raise InputError(str(diagnoses[0]), tuple(diagnoses))
    return cast("Mapping[str, Any]", documents[0].value or {})


def golden_cases(folder: Path) -> list[Path]:
    """The cases below `tests/plugins`, by the path of their `when.yaml`."""
    return sorted(folder.glob("*/*/*/when.yaml"))


def golden_texts(plugin: OperationalPlugin, kind: str, when: Path) -> dict[str, tuple[Config, str]]:
    """What a case gives: the name of each `then` file with its config and text. The plugin has the case's settings."""
    subject = subject_of(when)
    texts: dict[str, tuple[Config, str]] = {}
    for config in plugin.generate_configs(subject):
        if config.id.kind == kind:
            stem = f"then.{config.id.name.replace('/', '--')}" if config.id.name else "then"
            made = plugin.kind(kind)
            text = made.content(config.spec)
            if isinstance(made, FileKind):
                texts[stem + (Path(config.place.path).suffix or ".txt")] = (config, text)
            else:
                texts[f"{stem}.json"] = (config, json.dumps(json.loads(text), indent=2, sort_keys=True) + "\n")
    return texts


def _blueprint(tier: str, written: Any) -> tuple[Any, str]:
    resolved = resolve([Layer("test", {"tier": tier, **written})], load_tiers(None))
    if resolved.diagnoses:
        raise InputError(str(resolved.diagnoses[0]), tuple(resolved.diagnoses))
    return resolved.blueprint, resolved.digest
