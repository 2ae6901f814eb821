"""The image, made and run without a container engine: the steps of the Dockerfile in an overlay of this machine's root.

What differs from the real thing: the base is this machine with the Python that runs the tests, so no packages of the
distribution are installed and `tini` does not come first.
"""

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import dockerfile
import pytest

import nthlayer_sync

USER = "10001"
VOLUME = "var/lib/nthlayer-sync"
PYTHON = Path(sys.base_prefix)
SETTINGS = """\
organisation: Acme
sources: [{{type: directory, path: /etc/nthlayer-sync/catalog}}]
plugins: {{openslo: {{}}}}
state: /var/lib/nthlayer-sync/state.db
cache: /var/lib/nthlayer-sync/cache
serve: {{listen: "127.0.0.1:{port}"}}
"""

pytestmark = pytest.mark.timeout(600)  # whichever comes first makes the image


class Mounts:
    """A mount namespace; when it is left, so is everything that was mounted in it."""

    def __enter__(self) -> "Mounts":
        hold = ["unshare", "--mount", "--propagation", "private", "sh", "-c", "echo && exec cat"]
        self._holder = subprocess.Popen(hold, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        assert self._holder.stdout is not None
        assert self._holder.stdout.readline() == b"\n"
        self._enter = ["nsenter", f"--mount=/proc/{self._holder.pid}/ns/mnt"]
        return self

    def __exit__(self, *_: object) -> None:
        self._holder.communicate(timeout=20)

    def run(self, *command: object) -> str:
        told = subprocess.run([*self._enter, *map(str, command)], capture_output=True, text=True, timeout=600)
        assert told.returncode == 0, f"{shlex.join(map(str, command))}\n{told.stdout}{told.stderr}"
        return told.stdout

    def start(self, *command: object) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [*self._enter, *map(str, command)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )


class Stage:
    """A stage of the Dockerfile, whose instructions are carried out one by one."""

    def __init__(self, mounts: Mounts, folder: Path) -> None:
        self._mounts, self.root, self._folder = mounts, folder / "root", "/"
        self.words = dict[str, tuple[str, ...]]()
        self._variables = {"PATH": f"{PYTHON}/bin:/usr/local/bin:/usr/sbin:/usr/bin:/bin"}
        folder.mkdir()
        mounts.run("mount", "-t", "tmpfs", "tmpfs", folder)
        mounts.run("mkdir", folder / "up", folder / "work", self.root)
        layers = f"lowerdir=/,upperdir={folder}/up,workdir={folder}/work"
        mounts.run("mount", "-t", "overlay", "-o", layers, "overlay", self.root)
        for name in ("dev", "proc"):
            mounts.run("mount", "--rbind", f"/{name}", self.root / name)
        # Where people keep a Python of their own, nobody else may go.
        mounts.run("chmod", "a+rx", *(f"{self.root}{folder}" for folder in (PYTHON, *PYTHON.parents[:-1])))

    def take(self, step: dockerfile.Command, context: Path, stages: dict[str, "Stage"]) -> None:
        """Do what an instruction says."""
        name, words = step.cmd.upper(), step.value
        self.words[name] = words
        if name == "ENV":
            for key, value in zip(words[::2], words[1::2], strict=True):
                self._variables[key] = value.replace("$PATH", self._variables["PATH"])
        elif name == "WORKDIR":
            self._folder = words[0]
            self._mounts.run("mkdir", "-p", f"{self.root}{self._folder}")
        elif name == "COPY":
            origins = [flag.removeprefix("--from=") for flag in step.flags if flag.startswith("--from=")]
            self._copy(stages[origins[0]].root if origins else context, words)
        elif name == "RUN":
            commands = [command.strip() for command in words[0].split("&&")]
            ours = [command for command in commands if not command.startswith(("apt-get ", "rm -rf /var/lib/apt"))]
            self.run("/bin/sh", "-c", " && ".join(ours))

    def _copy(self, origin: Path, words: tuple[str, ...]) -> None:
        """The content of a folder, never the folder; or files."""
        *sources, target = words
        into = f"{self.root}{Path(self._folder, target)}"
        self._mounts.run("mkdir", "-p", into)
        for source in sources:
            path = f"{origin}/{source.lstrip('/')}"
            self._mounts.run(
                "sh", "-c", 'if [ -d "$1" ]; then cp -a "$1/." "$2"; else cp "$1" "$2"; fi', "-", path, into
            )

    def _within(self, *command: str) -> list[str]:
        variables = [f"{key}={value}" for key, value in self._variables.items()]
        return ["chroot", str(self.root), "env", "-C", self._folder, *variables, *command]

    def run(self, *command: str) -> str:
        """As root, while the image is made."""
        return self._mounts.run(*self._within(*command))

    def _as_user(self, *command: str) -> list[str]:
        rights = [f"--reuid={USER}", f"--regid={USER}", "--clear-groups", "--no-new-privs", "--bounding-set=-all"]
        return self._within("setpriv", *rights, "--inh-caps=-all", "env", "HOME=/" + VOLUME, *command)

    def seal(self, files: dict[str, str]) -> None:
        """Make everything read-only but the volume; `files` are what is mounted into it."""
        for path, content in files.items():
            self._mounts.run("sh", "-c", 'mkdir -p "${1%/*}" && printf %s "$2" >"$1"', "-", self.root / path, content)
        self._mounts.run("mount", "-o", "remount,ro", self.root)
        owner = f"uid={USER},gid={USER},mode=0700"
        self._mounts.run("mount", "-t", "tmpfs", "-o", owner, "tmpfs", self.root / VOLUME)

    def as_user(self, *command: str) -> str:
        """As the image's user, without any other right."""
        return self._mounts.run(*self._as_user(*command))

    def start(self, *command: str) -> subprocess.Popen[str]:
        return self._mounts.start(*self._as_user(*command))

    def succeeds(self, *command: str) -> bool:
        with self.start(*command) as started:
            started.communicate(timeout=60)
        return started.returncode == 0


@pytest.fixture(scope="module")
def port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture(scope="module")
def image(port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """The finished image, sealed."""
    if os.geteuid() != 0:
        if os.environ.get("CI"):
            pytest.fail("CI must run as root")
        pytest.skip("only root may lay one file system over another")
    context = Path(__file__).parents[2]
    folder, stages = tmp_path_factory.mktemp("image"), dict[str, Stage]()
    with Mounts() as mounts:
        stage = None
        for step in dockerfile.parse_file(str(context / "deploy/Dockerfile")):
            if step.cmd.upper() == "FROM":
                name = step.value[-1] if len(step.value) > 1 else "last"
                stage = stages[name] = Stage(mounts, folder / name)
            elif stage is not None:
                stage.take(step, context, stages)
        assert stage is not None
        catalog = "etc/nthlayer-sync/catalog/catalog-info.yaml"
        entity = (
            "apiVersion: backstage.io/v1alpha1\nkind: Group\nmetadata: {name: sre}\nspec: {type: team, children: []}\n"
        )
        stage.seal({"etc/nthlayer-sync/nthlayer-sync.yaml": SETTINGS.format(port=port), catalog: entity})
        yield stage


def test_it_starts_as_nobody_in_particular(image: Stage) -> None:
    assert nthlayer_sync.__version__ in image.as_user("nthlayer-sync", "--version")
    image.as_user("nthlayer-sync", "validate")
    assert image.as_user("id", "-u").strip() == USER
    rights = dict(line.split() for line in image.as_user("grep", "^Cap", "/proc/self/status").splitlines())
    assert rights
    assert not any(int(bits, 16) for bits in rights.values())


def test_it_can_write_to_its_volume_alone(image: Stage) -> None:
    image.as_user("python", "-c", f"import tempfile; assert tempfile.gettempdir() == '/{VOLUME}'")
    places = ("/", "/tmp", "/etc", "/opt/nthlayer-sync", "/" + VOLUME)
    asked = 'for each; do touch "$each/x" 2>/dev/null || echo "$each"; done'
    assert image.as_user("sh", "-c", asked, "-", *places).split() == list(places[:-1])


def test_it_holds_every_extra_and_no_tool_to_install_more(image: Stage) -> None:
    image.as_user("python", "-Ic", "import aiobotocore, asyncpg")
    image.as_user("python", "-Ic", "import importlib.util as u; assert not u.find_spec('pip')")


def test_it_serves_is_found_healthy_and_stops_when_told_to(image: Stage, port: int) -> None:
    check = [word.replace("8080", str(port)) for word in image.words["HEALTHCHECK"][1:]]
    daemon = image.start(image.words["ENTRYPOINT"][-1], *image.words["CMD"])
    deadline = time.monotonic() + 120
    try:
        while not image.succeeds(*check):
            assert daemon.poll() is None, daemon.communicate()[0]
            assert time.monotonic() < deadline, "it is not healthy after two minutes"
        daemon.send_signal(signal.SIGTERM)
        said, _ = daemon.communicate(timeout=40)
        assert daemon.returncode == 0, said
    finally:
        daemon.kill()
