"""What repositories tell: owners, people, documents, technologies."""

import json
import os
import subprocess
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from nthlayer_sync.git import Repository
from nthlayer_sync.model.entity import Entity, Place
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.model.snapshot import Completeness
from nthlayer_sync.sources.code import Code, CodeSource, Policy, mirrored, work_tree
from nthlayer_sync.sources.codeowners import read_codeowners
from nthlayer_sync.sources.git import git_source
from nthlayer_sync.sources.manifests import ManifestError, is_manifest, read_manifest
from nthlayer_sync.sources.technologies import technologies
from tests.sources.conftest import component

POLICY = Policy({"codeowners": 0.8}, timedelta(days=180), 2)
Commit = Callable[..., None]


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    subprocess.run(["git", "init", "-q", "-b", "trunk", str(root)], check=True)
    return root


@pytest.fixture
def commit(repository: Path) -> Commit:
    def make(files: dict[str, str], author: str, day: str) -> None:
        for path, text in files.items():
            (repository / path).parent.mkdir(parents=True, exist_ok=True)
            (repository / path).write_text(text)
        when = f"{day}T12:00:00+00:00"
        environment = {"GIT_AUTHOR_NAME": "x", "GIT_AUTHOR_EMAIL": author, "GIT_AUTHOR_DATE": when}
        environment |= {"GIT_COMMITTER_NAME": "x", "GIT_COMMITTER_EMAIL": "ci@x.y", "GIT_COMMITTER_DATE": when}
        for command in (["add", "-A"], ["commit", "-q", "-m", "change"]):
            subprocess.run(["git", "-C", str(repository), *command], check=True, env=os.environ | environment)

    return make


def service(name: str, root: object, folder: str = "") -> Entity:
    return Entity(
        ref=entity_ref("component", name),
        kind="Component",
        name=name,
        place=Place(str(root), f"{folder}/catalog-info.yaml".lstrip("/")),
    )


FILES = {
    ".github/CODEOWNERS": "* @acme/platform\n/pay/ @acme/payments ann@acme.example @bob\n",
    "CODEOWNERS": "* @ignored\n",
    "README.md": "hello",
    "pay/catalog-info.yaml": component("pay"),
    "pay/readme.rst": "x",
    "pay/mkdocs.yml": "x",
    "pay/docs/index.md": "x",
    "pay/requirements.txt": "psycopg[binary]==3.2\nredis>=5 # cache\n-r other.txt\n",
    "pay/go.mod": "not a module",
    "web/catalog-info.yaml": component("web"),
    "web/package.json": json.dumps({"dependencies": {"pg": "1", "kafkajs": "2"}, "devDependencies": {"mysql2": "1"}}),
}


async def read(root: Path, *entities: Entity, code: Code | None = None) -> CodeSource:
    return CodeSource("code", entities, {str(root): code or work_tree(root)}, POLICY)


async def test_a_work_tree_tells_what_lives_in_it(repository: Path, commit: Commit) -> None:
    commit(FILES, "Old@acme.example", "2025-01-01")
    commit({"pay/a": "1", "web/a": "1"}, "ann@acme.example", "2026-05-01")
    commit({"pay/a": "2"}, "bob@acme.example", "2026-05-02")
    commit({"pay/a": "3"}, "bob@acme.example", "2026-05-03")
    commit({"pay/a": "4"}, "cy@acme.example", "2026-05-04")
    user = Entity(
        ref=EntityRef("user:default/ann.lee"),
        kind="User",
        name="ann.lee",
        spec={"profile": {"email": "Ann@acme.example"}},
    )
    source = await read(repository, service("pay", repository, "pay"), service("web", repository, "web"), user)
    snapshot = await source.read()
    assert snapshot.completeness is Completeness.COMPLETE
    pay, web = snapshot.facts
    assert (pay.default_branch, pay.last_change) == ("trunk", "2026-05-04T12:00:00+00:00")
    assert pay.authors == ("bob@acme.example", "ann@acme.example")
    assert (pay.readme, pay.docs, pay.mkdocs) == (True, True, True)
    assert pay.manifests == ("go.mod", "requirements.txt")
    assert pay.technologies == ("postgresql", "python", "redis")
    assert (web.readme, web.docs, web.mkdocs, web.authors) == (False, False, False, ("ann@acme.example",))
    assert web.technologies == ("javascript", "kafka", "postgresql")
    assert len(web.last_commit) == 40
    assert {(edge.source, edge.target) for edge in snapshot.edges} == {
        ("component:default/pay", "group:default/payments"),
        ("component:default/pay", "user:default/ann.lee"),
        ("component:default/pay", "user:default/bob"),
        ("component:default/web", "group:default/platform"),
    }
    assert {(edge.relation, edge.origin, edge.confidence) for edge in snapshot.edges} == {
        ("ownedBy", "codeowners", 0.8)
    }
    assert [(each.file, each.severity.value) for each in snapshot.diagnoses] == [
        ("CODEOWNERS", "note"),
        ("pay/go.mod", "note"),
    ]


async def test_the_history_of_a_repository_is_read_once_whatever_it_holds(repository: Path, commit: Commit) -> None:
    commit({f"s{number}/catalog-info.yaml": component(f"s{number}") for number in range(30)}, "a@b.c", "2026-01-01")
    code, asked = work_tree(repository), []

    async def counted() -> object:
        asked.append(1)
        return await code.history()

    services = [service(f"s{number}", repository, f"s{number}") for number in range(30)]
    source = await read(repository, *services, code=code._replace(history=counted))  # type: ignore[arg-type]
    assert len((await source.read()).facts) == 30
    assert len(asked) == 1


async def test_a_mirror_tells_the_same_and_the_catalog_in_it_is_read(
    repository: Path, commit: Commit, tmp_path: Path
) -> None:
    commit(FILES, "ann@acme.example", "2026-05-01")
    mirror = tmp_path / "mirror.git"
    remote = Repository(str(repository), mirror, branch="ours", protocols=["file"])
    catalog = git_source("git", remote)
    digest = await catalog.look()
    snapshot = await catalog.read()
    assert (snapshot.digest, snapshot.completeness) == (digest, Completeness.COMPLETE)
    assert [entity.place for entity in snapshot.entities] == [
        Place(remote.url, "pay/catalog-info.yaml"),
        Place(remote.url, "web/catalog-info.yaml"),
    ]
    ours = await CodeSource("code", snapshot.entities, {remote.url: mirrored(remote, mirror)}, POLICY).read()
    services = [service("pay", repository, "pay"), service("web", repository, "web")]
    theirs = await (await read(repository, *services)).read()
    assert (ours.facts, ours.edges) == (theirs.facts, theirs.edges)


async def test_a_look_is_the_digest_of_the_read_and_tells_changes(repository: Path, commit: Commit) -> None:
    commit(FILES, "ann@acme.example", "2026-05-01")
    source = await read(repository, service("pay", repository, "pay"))
    first = await source.look()
    assert (await source.read()).digest == first == await source.look()
    (repository / "pay/requirements.txt").write_text("django\n")
    assert (await source.read()).digest == first, "what the last look saw"
    assert await source.look() != first


async def test_without_git_or_commits_a_folder_tells_what_it_can(tmp_path: Path, repository: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "README").write_text("x")
    for root in (tmp_path / "plain", repository):
        snapshot = await (await read(root, service("a", root))).read()
        assert snapshot.completeness is Completeness.COMPLETE
        assert snapshot.facts[0].last_commit == ""


async def test_a_repository_that_cannot_be_read_costs_only_itself(tmp_path: Path, repository: Path) -> None:
    gone = tmp_path / "gone"
    services = [service("a", gone), service("b", repository)]
    both = {str(gone): work_tree(gone), str(repository): work_tree(repository)}
    snapshot = await CodeSource("code", services, both, POLICY).read()
    assert snapshot.completeness is Completeness.INCOMPLETE
    assert str(gone) in snapshot.reason
    assert [fact.entity for fact in snapshot.facts] == ["component:default/b"]
    failed = await CodeSource("code", services, {str(gone): work_tree(gone)}, POLICY).read()
    assert (failed.completeness, failed.digest) == (Completeness.FAILED, "")


@pytest.mark.parametrize(
    ("text", "folder", "owners"),
    [
        ("* @a", "", ("@a",)),
        ("* @a\n* @b", "x/y", ("@b",)),
        ("/x/ @a", "x/y", ("@a",)),
        ("/x/ @a", "y", ()),
        ("x/ @a", "y/x", ("@a",)),
        ("/x/* @a", "x", ("@a",)),
        ("/x/* @a", "x/y", ()),
        ("x @a", "z/x/y", ("@a",)),
        ("* @a\n*.js @b", "x", ("@a",)),
        ("* @a\n/x/go.mod @b", "x", ("@a",)),
        ("**/api/** @a", "x/api", ("@a",)),
        ("* @a\n/x", "x", ()),
        ("/a\\ b/ @a", "a b", ("@a",)),
        ("* @a # @b", "", ("@a",)),
        ("[Back][2] @x\n/a/\n/b/ @y\n[Front]\n* @z", "a", ("@x", "@z")),
        ("[Back] @x\n/a/\n/b/ @y", "b", ("@y",)),
        ("^[Optional] @x\n*", "b", ("@x",)),
        ("* @g/sub/team a@b.example", "", ("@g/sub/team", "a@b.example")),
    ],
)
def test_codeowners_are_read_as_the_code_hosts_do(text: str, folder: str, owners: tuple[str, ...]) -> None:
    found = read_codeowners("CODEOWNERS", text.encode())
    assert found.of_folder(folder) == owners
    assert found.diagnoses == []


def test_our_own_block_is_no_evidence() -> None:
    block = "# nthlayer-sync: begin component:default/a\n/a/ @ours\n# nthlayer-sync: end component:default/a\n"
    owners = read_codeowners("CODEOWNERS", f"* @all\n{block}/b/ @b\n".encode())
    assert (owners.of_folder("a"), owners.of_folder("b")) == (("@all",), ("@b",))


@pytest.mark.parametrize(
    ("text", "line", "column", "found"),
    [
        ("* @a\n* nobody", 2, 3, "nobody"),
        ("* @a @", 1, 6, "@"),
        ("!/x @a", 1, 1, "!/x @a"),
        ("* @" + "a.b" * 2000 + "@", 1, 1, "* @" + ("a.b" * 30)[:77] + "…"),
        ("x" * 4_000_000, 0, 0, "4,000,000 bytes"),
    ],
)
def test_a_line_that_cannot_be_used_is_reported(text: str, line: int, column: int, found: str) -> None:
    (diagnosis,) = read_codeowners("CODEOWNERS", text.encode()).diagnoses
    assert (diagnosis.file, diagnosis.line, diagnosis.column, diagnosis.found) == ("CODEOWNERS", line, column, found)


def test_real_codeowners_give_owners_or_say_why_not(shared: Path) -> None:
    files = sorted((shared / "corpus" / "codeowners").iterdir())
    assert files
    for file in files:
        lines = [line for line in file.read_text().splitlines() if line.strip() and not line.lstrip().startswith("#")]
        owners = read_codeowners(file.name, file.read_bytes())
        rules = sum(map(len, owners.sections))
        assert rules + len(owners.diagnoses) + len(owners.sections) - 1 >= len(lines), file


@pytest.mark.parametrize(
    ("name", "text", "language", "shown"),
    [
        (
            "pyproject.toml",
            '[project]\nname="x"\ndependencies=["asyncpg>=1", "pymongo"]',
            "python",
            "mongodb postgresql",
        ),
        ("pyproject.toml", '[tool.poetry.dependencies]\npython="3"\naiokafka="1"', "python", "kafka"),
        ("requirements-dev.txt", "Elasticsearch7==1\npika\n", "python", "elasticsearch rabbitmq"),
        (
            "go.mod",
            "module a.b/c\nrequire (\n\tgithub.com/jackc/pgx/v5 v5.1.0\n\tgithub.com/redis/go-redis/v9 v9.0.0\n)\n",
            "go",
            "postgresql redis",
        ),
        ("go.mod", "module a.b/c\n\nrequire github.com/aws/aws-sdk-go-v2/service/sqs v1.0.0\n", "go", "sqs"),
        (
            "pom.xml",
            '<project xmlns="http://maven.apache.org/POM/4.0.0"><dependencies><dependency><groupId>org.postgresql'
            "</groupId><artifactId> postgresql </artifactId></dependency></dependencies></project>",
            "java",
            "postgresql",
        ),
        ("build.gradle.kts", 'implementation("org.springframework.kafka:spring-kafka:3.0")', "java", "kafka"),
        ("build.gradle", "implementation 'redis.clients:jedis:5'", "java", "redis"),
        (
            "Cargo.toml",
            '[dependencies]\nsqlx={version="1",features=["postgres"]}\nlapin="2"',
            "rust",
            "postgresql rabbitmq",
        ),
        ("Gemfile", "source 'x'\ngem 'mysql2'\n  gem \"dalli\"\n", "ruby", "memcached mysql"),
        ("composer.json", '{"require": {"predis/predis": "*", "php": "8"}}', "php", "redis"),
        (
            "A.csproj",
            '<Project><PackageReference Include="Npgsql"/></Project>',
            "csharp",
            "postgresql",
        ),
    ],
)
def test_manifests_show_technologies(name: str, text: str, language: str, shown: str) -> None:
    manifest = read_manifest(name, text.encode())
    assert manifest.language == language
    assert " ".join(sorted(set(technologies(manifest.language, manifest.packages)))) == shown


BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><project>&b;</project>'


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("package.json", b"{"),
        ("package.json", b"[]"),
        ("package.json", b'{"dependencies": ' + b"[" * 100_000),
        ("pyproject.toml", b"[project"),
        ("pyproject.toml", b"\xff"),
        ("Cargo.toml", b"x = "),
        ("go.mod", b"hello"),
        ("pom.xml", b"<project>"),
        ("pom.xml", BOMB.encode()),
        ("A.csproj", b""),
        ("requirements.txt", b"x\n" * 2_000_000),
    ],
)
def test_a_broken_manifest_says_so(name: str, data: bytes) -> None:
    assert is_manifest(name)
    with pytest.raises(ManifestError):
        read_manifest(name, data)


@pytest.mark.timeout(10)
@pytest.mark.parametrize("name", ["go.mod", "Gemfile", "build.gradle", "requirements.txt"])
@pytest.mark.parametrize("unit", ["\n", " ", "a", '"', "require ", "gem '", '"a:', "a.b/"])
def test_no_manifest_takes_long(name: str, unit: str) -> None:
    text = "module x\n" + unit * ((1 << 20) // len(unit))
    read_manifest(name, text.encode())
