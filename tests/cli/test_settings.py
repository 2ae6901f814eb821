"""What is said about a settings file that is wrong: file, line, column, what is allowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from nthlayer_sync.app import App
from nthlayer_sync.errors import InputError

SOURCE = "organisation: acme\nsources:\n  - {type: git, url: a}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "organization: acme\nsources: [{type: directory, path: .}]\n",
            ["1:1: organization: unknown key; did you mean 'organisation'?"],
        ),
        (f"{SOURCE}intervall: 5\n", ["4:1: intervall: unknown key"]),
        ("organisation: acme\nsources: []\n", ["2:10: sources: has too few entries; it needs 1 or more"]),
        ("organisation: acme\nsources:\n  - {type: cortex, path: 3}\n", ["3:26: sources.0.path: has to be text"]),
        (
            "organisation: acme\nsources:\n  - {type: git, url: a, pth: b}\n",
            ["3:25: sources.0.pth: unknown key (found 'pth'); allowed: type, name, url, files, exclude"],
        ),
        (
            "organisation: acme\nsources:\n  - {type: direktory}\n  - 5\n",
            [
                "3:12: sources.0.type: not a type of source; did you mean 'directory'?",
                "4:5: sources.1.type: names no type of source; allowed: directory, git, backstage, cortex",
            ],
        ),
        (f"{SOURCE}  - {{type: git, url: b}}\n", ["4:5: sources.1.name: another source is called 'git' already"]),
        (
            "organisation: acme\nsources:\n  - {type: git, name: code, url: a}\n",
            ["3:23: sources.0.name: no source may be called 'code'"],
        ),
        (f"{SOURCE}landing: {{branch: a b}}\n", ["4:19: landing.branch: 'a b' is not a name that Git allows"]),
        (f"{SOURCE}landing: {{author: me}}\n", ["4:19: landing.author: an author is written as: name <address>"]),
        (
            f"{SOURCE}plugins:\n  kubernetes:\n    home: x\n    knds: []\n",
            [
                "6:11: plugins.kubernetes.home: not one of the allowed values (found 'x'); allowed: service, central",
                "7:5: plugins.kubernetes.knds: unknown key; did you mean 'kinds'?",
            ],
        ),
        (f"{SOURCE}plugins: {{kubernetess: {{}}}}\n", ["4:24: plugins.kubernetess: there is no plugin 'kubernetess'"]),
        (
            f"{SOURCE}defaults:\n  tier: '9'\n  cost: {{budget: 5000 quatloos}}\n",
            [
                "5:9: defaults.tier: unknown tier",
                "6:18: defaults.cost.budget: unknown currency 'quatloos' (found '5000 quatloos'); allowed: $5000/month",
            ],
        ),
        (
            f"{SOURCE}state: {{url: 'postgresql://me:s3cret@db/x', pasword: 1}}\n",
            [
                "4:14: state.url: a database is written as: postgresql://user@host:port/name, the password in",
                "4:45: state.pasword: unknown key",
            ],
        ),
        (f"{SOURCE}state: 12\n", ["4:8: state: has to be text"]),
        ("- 1\n", [" one YAML document with a map is expected"]),
    ],
)
def test_each_mistake_is_told_once_with_its_place(tmp_path: Path, text: str, said: list[str]):
    file = tmp_path / "nthlayer-sync.yaml"
    file.write_text(text)
    with pytest.raises(InputError) as raised:
        _use(file)
    lines = str(raised.value).splitlines()
    assert len(lines) == len(said) == len(raised.value.diagnoses)
    for line, words in zip(lines, said, strict=True):
        assert line.startswith(f"{file}:{words}")


def _use(file: Path) -> None:
    app = App.load(file)
    assert app.tiers
    app.generator()
