"""Changes to trees, against a plain dictionary as the model and real Git as the judge."""

import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nthlayer_sync.errors import PermanentError
from nthlayer_sync.git.change import EMPTY_TREE, change
from nthlayer_sync.git.objects import Entry, Tree, object_name, pack, parse_tree, write_tree

NAMES = st.sampled_from(["a", "b", "a.b", "a-b", "ab", "é", "A"])
PATHS = st.lists(NAMES, min_size=1, max_size=3).map("/".join)
CONTENTS = st.binary(max_size=20)


class Store:
    """Folders by path for every tree that was made, as reading the mirror would give them."""

    def __init__(self) -> None:
        self.trees: dict[str, bytes] = {EMPTY_TREE: b""}

    def folders(self, tree: str, prefix: str = "") -> dict[str, Tree]:
        entries = parse_tree(self.trees[tree])
        found = {prefix: entries}
        for name, entry in entries.items():
            if entry.mode == b"40000":
                found |= self.folders(entry.name.hex(), f"{prefix}/{name.decode()}".lstrip("/"))
        return found

    def files(self, tree: str) -> dict[str, bytes]:
        return {
            f"{folder}/{name.decode()}".lstrip("/"): entry.name
            for folder, entries in self.folders(tree).items()
            for name, entry in entries.items()
            if entry.is_file
        }

    def apply(self, tree: str, files: dict[str, bytes | None]) -> str:
        done = change(tree, self.folders(tree), files)
        self.trees |= {name.hex(): content for name, content in done.trees.items()}
        assert all(object_name("blob", data) == name for name, data in done.blobs.items())
        return done.tree


def clashes(paths: set[str]) -> bool:
    """Some path is a file and a folder at once."""
    return any(other.startswith(path + "/") for path in paths for other in paths)


@settings(max_examples=300)
@given(st.lists(st.dictionaries(PATHS, CONTENTS | st.none(), max_size=6), max_size=4))
def test_is_a_dictionary(steps: list[dict[str, bytes | None]]) -> None:
    store, tree, model = Store(), EMPTY_TREE, dict[str, bytes]()
    for step in steps:
        after = {path: data for path, data in (model | step).items() if data is not None}
        try:
            tree = store.apply(tree, step)
        except PermanentError:
            folders = {
                path for path, data in step.items() if data is None and any(p.startswith(path + "/") for p in model)
            }
            assert clashes(set(after)) or folders
            continue
        assert not clashes(set(after))
        model = after
        assert store.files(tree) == {path: object_name("blob", data) for path, data in model.items()}
    again = dict.fromkeys(model)
    assert store.apply(tree, again) == EMPTY_TREE
    assert store.apply(tree, model) == tree


@settings(max_examples=15, deadline=None)
@given(files=st.dictionaries(PATHS, CONTENTS, min_size=1, max_size=12).filter(lambda files: not clashes(set(files))))
def test_git_agrees(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> None:
    done = change("", {"": {}}, files)
    folder = tmp_path_factory.mktemp("r")
    subprocess.run(["git", "init", "-q", "--bare", folder], check=True)
    objects = [("blob", data) for data in done.blobs.values()] + [("tree", data) for data in done.trees.values()]
    subprocess.run(["git", "index-pack", "--stdin"], input=pack(objects), cwd=folder, check=True, capture_output=True)
    subprocess.run(["git", "fsck", "--strict", "--full"], cwd=folder, check=True, capture_output=True)
    listed = subprocess.run(
        ["git", "ls-tree", "-rz", "--name-only", done.tree], cwd=folder, check=True, capture_output=True
    )
    assert {name.decode() for name in listed.stdout.split(b"\0")[:-1]} == set(files)


def test_pack_of_every_size(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", "--bare", tmp_path], check=True)
    blobs = [bytes(size) for size in (0, 1, 15, 16, 17, 2047, 2048, 2049, 300_000)]
    subprocess.run(
        ["git", "index-pack", "--stdin"],
        input=pack([("blob", b) for b in blobs]),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    for blob in blobs:
        found = subprocess.run(
            ["git", "cat-file", "blob", object_name("blob", blob).hex()], cwd=tmp_path, check=True, capture_output=True
        )
        assert found.stdout == blob


LINK = {
    "": {
        b"link": Entry(b"120000", bytes(20)),
        b"sub": Entry(b"160000", bytes(20)),
        b"file": Entry(b"100644", bytes(20)),
    }
}


@pytest.mark.parametrize(
    ("path", "what"),
    [
        ("link", "a symbolic link"),
        ("link/x", "a symbolic link"),
        ("link/x/y", "a symbolic link"),
        ("sub", "a submodule"),
        ("sub/x", "a submodule"),
        ("file/x", "a file"),
    ],
)
def test_never_through_links(path: str, what: str) -> None:
    with pytest.raises(PermanentError, match=f"the repository has {what} there"):
        change("1" * 40, LINK, {path: b"x"})


def test_modes_stay() -> None:
    before = {b"run": Entry(b"100755", bytes(20)), b"old": Entry(b"100664", bytes(20))}
    done = change("1" * 40, {"": before}, {"run": b"new", "old": b"new", "fresh": b"new"})
    after = parse_tree(done.trees[bytes.fromhex(done.tree)])
    assert {name: entry.mode for name, entry in after.items()} == {
        b"run": b"100755",
        b"old": b"100664",
        b"fresh": b"100644",
    }


def test_file_becomes_folder_and_back() -> None:
    store = Store()
    tree = store.apply(EMPTY_TREE, {"a": b"1"})
    with pytest.raises(PermanentError, match="a/ cannot hold files"):
        store.apply(tree, {"a/b": b"2"})
    folder = store.apply(tree, {"a": None, "a/b": b"2"})
    with pytest.raises(PermanentError, match="a cannot be written: the repository has a folder there"):
        store.apply(folder, {"a": b"1"})
    assert store.apply(folder, {"a/b": None, "a": b"1"}) == tree


def test_trees_sort_as_git_does() -> None:
    tree = {
        name: Entry(mode, bytes(20))
        for name, mode in ((b"a", b"40000"), (b"a.b", b"100644"), (b"a-b", b"100644"), (b"a0", b"100644"))
    }
    assert list(parse_tree(write_tree(tree))) == [b"a-b", b"a.b", b"a", b"a0"]
