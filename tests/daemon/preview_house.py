"""An organisation whose catalog is on a code host, and whose files land elsewhere: all that a preview needs."""

import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nthlayer_sync.blueprint.tiers import load_tiers
from nthlayer_sync.daemon.preview_sources import Editable, EditableFiles
from nthlayer_sync.daemon.previews import Previews
from nthlayer_sync.engine.generate import Generator
from nthlayer_sync.engine.run import Engine, Setup
from nthlayer_sync.errors import PermanentError
from nthlayer_sync.model.config import Spec
from nthlayer_sync.model.plan import Part
from nthlayer_sync.model.service import Home, Service, Team
from nthlayer_sync.sdk.files import FileTarget, Repositories
from nthlayer_sync.sdk.hosting.github_reviews import GitHubReviews
from nthlayer_sync.sdk.hosting.gitlab_reviews import GitLabReviews
from nthlayer_sync.sdk.http import Manners, Web
from nthlayer_sync.sdk.kind import Category, FileKind
from nthlayer_sync.sdk.ownership import MARK
from nthlayer_sync.sdk.plugin import OperationalPlugin, PluginSettings
from nthlayer_sync.sdk.runtime import Runtime
from nthlayer_sync.sdk.source import Source
from nthlayer_sync.settings.serve import ServeSettings
from nthlayer_sync.sources.git import git_source
from nthlayer_sync.state.sqlite import SqliteStore
from tests.sdk.hosting.review_stand_in import WHO, GitHubReviewed
from tests.sdk.hosting.stand_in import git

CATALOG = "https://git.example.com/acme/central"
LANDING = "https://git.example.com/acme/files"
MARKER = "<!-- nthlayer-sync preview of acme -->"
EMPTY = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
"""Git's name of the tree without files."""


class NoteSpec(Spec):
    text: str


def about(service: Service) -> Iterator[NoteSpec]:
    if service.description == "bad":
        raise PermanentError("a bad description")
    yield NoteSpec(text=f"{service.description}\ntier {service.blueprint.tier}")


def needed(service: Service) -> Iterator[NoteSpec]:
    yield NoteSpec(text="\n".join(f"{n.ref} {n.tier} {n.availability}" for n in service.depends_on))


def staff(team: Team) -> Iterator[NoteSpec]:
    yield NoteSpec(text="\n".join(f"{n.ref} {n.tier}" for n in team.services))


def kind(name: str, subject: Any, generate: Any) -> FileKind[Any, Any]:
    return FileKind(
        name=f"notes/{name}", version=1, summary="a file of ours", subject=subject, spec=NoteSpec, generate=generate,
        path=lambda subject, spec: f"{name}.txt", render=lambda spec: f"{MARK}\n{spec.text}\n",
    )  # fmt: skip


class Notes(OperationalPlugin):
    name = "notes"
    version = "1"
    category = Category.DOCUMENTATION
    summary = "notes, to test with"
    kinds = (kind("about", Service, about), kind("needed", Service, needed), kind("staff", Team, staff))


def entity(name: str, *, tier: str = "3", text: str = "hello", needs: str = "", more: str = "") -> str:
    asked = f"    nthlayer.dev/tier: '{tier}'\n" if tier else "    a/b: c\n"
    depends = f"  dependsOn: [component:{needs}]\n" if needs else ""
    return (
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n  description: {text}\n"
        f"  annotations:\n{asked}{more}"
        f"spec:\n  type: service\n  lifecycle: production\n  owner: payments\n{depends}"
    )


TEAM = "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: payments}\nspec: {type: team, children: []}\n"


def blueprint(tier: str) -> str:
    return f"service:\n  name: a\n  tier: {tier}\n"


def at(name: str) -> str:
    return f"services/{name}/catalog-info.yaml"


START = {
    "catalog-info.yaml": TEAM,
    at("a"): entity("a", tier="", needs="b"),
    "services/a/nthlayer.yaml": blueprint("3"),
    at("b"): entity("b"),
    at("c"): entity("c", needs="a"),
    "README.md": "hello\n",
}


@dataclass
class House:
    """An organisation whose catalog is in a repository on a code host, and whose files land in another."""

    folder: Path
    host: Any
    url: str
    settings: PluginSettings = field(default_factory=PluginSettings)
    serve: ServeSettings = field(default_factory=ServeSettings)

    @property
    def repositories(self) -> Repositories:
        places = {CATALOG: str(self.host.remote), LANDING: str(self.folder / "files.git")}
        return Repositories(self.folder / "cache", "nthlayer-sync", [], instead_of=places)

    @asynccontextmanager
    async def engine(self) -> AsyncIterator[tuple[Engine, SqliteStore]]:
        """A fresh process."""
        repositories = self.repositories
        files = FileTarget(repositories, ("Test", "test@example.com"))
        files.serve(Notes.kinds)
        async with SqliteStore(self.folder / "state.db") as store:
            generator = Generator([Notes(self.settings, Runtime(files=files))])
            setup = Setup("acme", load_tiers(None), Home(LANDING))
            yield Engine(setup, [self.source(repositories)], generator, store), store

    def source(self, repositories: Repositories) -> Source:
        """What the daemon reads."""
        return git_source("git", repositories.get(CATALOG))

    def editable(self, store: SqliteStore) -> Editable:
        """The same, for previews."""
        return EditableFiles("git", CATALOG, self.repositories.get(CATALOG))

    @asynccontextmanager
    async def previews(self, engine: Engine, store: SqliteStore) -> AsyncIterator[Previews]:
        connections = Web()
        vendor = GitHubReviews if isinstance(self.host, GitHubReviewed) else GitLabReviews
        tool = connections.tool("host", f"{self.url}{self.host.version}", manners=Manners(rate=1e6, tries=1))
        sources = [self.editable(store)]
        try:
            yield Previews(engine, store, self.serve, reviews={"git.example.com": vendor(tool)}, sources=sources)
        finally:
            await connections.close()

    async def settle(self) -> None:
        async with self.engine() as (engine, _):
            plan = await engine.plan()
            assert not plan.refusals
            await engine.apply(plan, engine.store.parts(plan.id))

    async def preview(self, number: int, slug: str = "acme/central") -> None:
        """In a process of its own."""
        async with self.engine() as (engine, store):
            await engine.read()
            async with self.previews(engine, store) as previews:
                await previews.preview(f"git.example.com/{slug}#{number}")

    async def planned(self) -> list[Part]:
        """What the daemon plans now."""
        async with self.engine() as (engine, store):
            plan = await engine.plan()
            return [part async for part in store.parts(plan.id)] if plan.counts else []

    def comment(self, number: int) -> str:
        [said] = self.host.comments[number]
        return said.body

    def check(self, number: int) -> tuple[bool, str] | None:
        return self.host.says(self.host.pulls[number - 1].sha)

    def build(self) -> None:
        """The repositories, with a catalog."""
        for name in ("central.git", "files.git"):
            git("init", "-q", "--bare", "-b", "main", name, cwd=self.folder)
        root = git(*WHO, "commit-tree", EMPTY, "-m", "start", cwd=self.host.remote)
        git("update-ref", "refs/heads/main", root, cwd=self.host.remote)
        git("update-ref", "refs/heads/main", self.host.commit(root, dict(START)), cwd=self.host.remote)


def told(comment: str) -> set[tuple[str, str, str]]:
    """The changes that a comment names: subject, action, config."""
    found: set[tuple[str, str, str]] = set()
    subject = ""
    for row in comment.split("---\n\nAt ")[0].splitlines():
        if match := re.fullmatch(r"#### `([^`]+)`.*", row):
            subject = match[1]
        elif subject and (match := re.match(r"- (\w+) `([^`]+)`", row)):
            found.add((subject, match[1], match[2]))
    return found


def changes(parts: list[Part]) -> set[tuple[str, str, str]]:
    return {(part.subject, str(c.action), c.kind) for part in parts for c in part.changes}
