"""Git with the catalog files, a Backstage that reads them, and a daemon that reads Backstage."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import quote

import aiohttp
from aiohttp import web

from tests.backstage.process import Process, free_port, until
from tests.engine.conftest import git

SECRET = "whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
TESTS = {"Authorization": "Bearer dev-token-of-the-tests"}
ADMIN_TOKEN = "of-the-tests-and-long-enough-to-be-one"
ADMIN_SHA256 = sha256(ADMIN_TOKEN.encode()).hexdigest()
TIERS = "guards: {absence: {reads: 2, apart: 5seconds}}\n"
QUICK = {"every": "2s", "poll": "1h", "audit": "1h"}
"""Full syncs often, polls never: what comes sooner was told by Backstage."""


def component(name: str, tier: str = "2", **metadata: Any) -> dict[str, Any]:
    """A service of the payments team, as a catalog file has it."""
    annotations = {"nthlayer.dev/tier": tier, **metadata.pop("annotations", {})}
    return {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Component",
        "metadata": {"name": name, "annotations": annotations, **metadata},
        "spec": {"type": "service", "lifecycle": "production", "owner": "group:default/payments"},
    }


ORGANISATION = [
    {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Group",
        "metadata": {"name": "payments"},
        "spec": {"type": "team", "children": []},
    },
]


class Town:
    """Everything in one folder. Files are in Git; Backstage gets them over HTTP as from a code host."""

    def __init__(self, folder: Path, node: str, workspace: Path) -> None:
        self.folder = folder
        self.node = node
        self.workspace = workspace
        self.ports = {"backstage": free_port(), "daemon": free_port(), "code": free_port()}
        self.backstage = self._backstage()
        self.daemon = self._daemon()
        self.session: aiohttp.ClientSession
        self.serve: dict[str, Any] = dict(QUICK)
        self.plugins: dict[str, Any] = {"kubernetes": {}, "prometheus": {}, "backstage": {"policy": "observe"}}
        self.catalog: dict[str, Any] = {}
        self.denied: list[str] = []
        self.overlay: dict[str, Any] = {}
        """More of Backstage's configuration; a key of it takes the place of ours."""

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Git and its host; Backstage and the daemon are started by the tests, and stopped here."""
        self._lay_out()
        app = web.Application()
        app.router.add_get("/{path:.*}", self._file)
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", self.ports["code"]).start()
        async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as self.session:
            try:
                yield
            finally:
                await asyncio.gather(self.daemon.stop(), self.backstage.stop())
                await runner.cleanup()

    # Git.

    def commit(self, files: Mapping[str, list[dict[str, Any]] | None]) -> None:
        """Write catalog files, or remove them, and push."""
        work = self.folder / "work"
        for name, entities in files.items():
            path = work / name
            if entities is None:
                path.unlink()
            else:
                path.write_text("\n---\n".join(json.dumps(entity) for entity in entities))
        git("add", "-A", cwd=work)
        person = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        git(*person, "commit", "-q", "-m", "catalog", cwd=work)
        git("push", "-q", "origin", "HEAD:main", cwd=work)

    def landed(self) -> dict[str, str]:
        """What the daemon has written, by path."""
        central = self.folder / "central.git"
        if not git("branch", "--list", "nthlayer-sync", cwd=central):
            return {}
        names = git("ls-tree", "-r", "--name-only", "nthlayer-sync", cwd=central).splitlines()
        return {name: git("show", f"nthlayer-sync:{name}", cwd=central) for name in names}

    def removed(self) -> list[str]:
        """Every file that was ever deleted on the daemon's branch: the ledger of deletes."""
        central = self.folder / "central.git"
        log = git("log", "--diff-filter=D", "--name-only", "--format=", "nthlayer-sync", cwd=central)
        return [line for line in log.splitlines() if line]

    # The two programs.

    async def start_backstage(self) -> None:
        """With an empty database, as its is in memory. It reads the files that are in Git by now."""
        catalog = {
            "processingInterval": {"seconds": 10},
            "locations": [{"type": "url", "target": self.at(name)} for name in self._names()],
            **self.catalog,
        }
        reading = {"allow": [{"host": f"127.0.0.1:{self.ports['code']}"}]}
        overlay = {"backend": {"reading": reading}, "catalog": catalog, "dev": {"denied": self.denied}}
        (self.folder / "overlay.yaml").write_text(json.dumps({**overlay, **self.overlay}))
        await self.backstage.start(self._answers(f"{self.url('backstage')}/.backstage/health/v1/readiness"))

    async def start_daemon(self) -> None:
        """With what it remembers, if it ran before."""
        settings = {
            "organisation": "acme",
            "tiers": "tiers.yaml",
            "sources": [{"type": "backstage", "url": self.url("backstage"), "token": "env:CATALOG_TOKEN"}],
            "landing": {"central": "central.git"},
            "plugins": self.plugins,
            "code": False,
            "serve": {
                "listen": f"127.0.0.1:{self.ports['daemon']}",
                "access": {
                    "tokens": [{"name": "tests", "sha256": ADMIN_SHA256, "role": "admin"}],
                    "backstage": {"url": self.url("backstage"), "roles": {"plugin:catalog": "viewer"}},
                },
                "webhooks": {"backstage": "env:WEBHOOK_SECRET"},
                **self.serve,
            },
        }
        (self.folder / "nthlayer-sync.yaml").write_text(json.dumps(settings))
        await self.daemon.start(self._answers(f"{self.url('daemon')}/live"))

    def url(self, name: str) -> str:
        """Where one of the programs is."""
        return f"http://127.0.0.1:{self.ports[name]}"

    def at(self, file: str) -> str:
        """The address of a catalog file."""
        return f"{self.url('code')}/{file}"

    # Asking them.

    async def entity(self, name: str) -> dict[str, Any] | None:
        """A component as Backstage has it."""
        return await self.backstage_get(f"catalog/entities/by-name/component/default/{name}")

    async def annotation(self, name: str, key: str) -> str:
        """An annotation of a component in Backstage."""
        return ((await self.entity(name)) or {}).get("metadata", {}).get("annotations", {}).get(key, "")

    async def refresh(self, location: str) -> None:
        """Have Backstage read a file again now, as a webhook of the code host would."""
        found = await self.backstage_get("catalog/entities/by-query?filter=kind=location&limit=1000")
        names = [item["metadata"]["name"] for item in found["items"] if item["spec"].get("target") == self.at(location)]
        assert names, f"no location reads {location}"
        for name in names:
            body = {"entityRef": f"location:default/{name}"}
            async with self.session.post(
                f"{self.url('backstage')}/api/catalog/refresh", json=body, headers=TESTS
            ) as answer:
                assert answer.status == 200, await answer.text()

    async def backstage_get(self, path: str, headers: Mapping[str, str] = TESTS) -> Any:
        """What Backstage answers; None where there is no such thing."""
        async with self.session.get(f"{self.url('backstage')}/api/{path}", headers=headers) as answer:
            if answer.status == 404:
                return None
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def daemon_get(self, path: str) -> Any:
        """What the daemon answers; None where there is no such thing."""
        headers = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        async with self.session.get(f"{self.url('daemon')}/api/v1/{path}", headers=headers) as answer:
            if answer.status == 404:
                return None
            assert answer.status == 200, await answer.text()
            return await answer.json()

    async def seen(self, name: str) -> Any:
        """A component as the daemon has it."""
        return await self.daemon_get(f"entities/{quote(f'component:default/{name}', safe='')}")

    # How it is laid out.

    def _lay_out(self) -> None:
        for name in ("catalog.git", "central.git"):
            git("init", "-q", "--bare", "-b", "main", name, cwd=self.folder)
        git("clone", "-q", "catalog.git", "work", cwd=self.folder)
        (self.folder / "tiers.yaml").write_text(TIERS)
        (self.folder / "techdocs").mkdir()

    def _names(self) -> list[str]:
        return git("ls-tree", "--name-only", "main", cwd=self.folder / "catalog.git").splitlines()

    async def _file(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        try:
            text = await asyncio.to_thread(git, "show", f"main:{path}", cwd=self.folder / "catalog.git")
        except Exception:
            raise web.HTTPNotFound from None
        return web.Response(text=text)

    def _answers(self, address: str) -> Any:
        async def answers() -> bool:
            try:
                async with self.session.get(address) as answer:
                    return answer.status == 200
            except aiohttp.ClientError:
                return False

        return answers

    def _backstage(self) -> Process:
        transform = ("--require", "@backstage/cli-node/config/nodeTransform.cjs")
        config = ("--config", "app-config.yaml", "--config", str(self.folder / "overlay.yaml"))
        env = {
            "NODE_ENV": "development",
            "PORT": str(self.ports["backstage"]),
            "GUEST": "user:default/guest",
            "GUEST_OWNS": "group:default/payments",
            "CATALOG": "/unused",
            "TECHDOCS_DIRECTORY": str(self.folder / "techdocs"),
            "NTHLAYER_URL": self.url("daemon"),
            "NTHLAYER_WEBHOOK_SECRET": SECRET,
        }
        return Process(
            [self.node, *transform, "src/index.ts", *config],
            self.workspace / "dev/backend", self.folder / "backstage.log", env,
        )  # fmt: skip

    def _daemon(self) -> Process:
        env = {"CATALOG_TOKEN": "dev-token-of-nthlayer-sync", "WEBHOOK_SECRET": SECRET}
        command = [str(Path(sys.executable).with_name("nthlayer-sync")), "serve"]
        return Process(command, self.folder, self.folder / "daemon.log", env)


__all__ = ["ORGANISATION", "TESTS", "Town", "component", "until"]
