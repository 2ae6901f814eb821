"""A catalog of N services as a Backstage API returns it: 1.2 kB and three dependencies each, always the same."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

LANGUAGES = ("java", "python", "go")


def entities(count: int) -> Iterator[dict[str, Any]]:
    """`count` components of three tiers, twenty to a team."""
    chance = random.Random(7)
    for index in range(count):
        name, team = f"svc-{index:05d}", f"team-{index % max(1, count // 20):03d}"
        needs = sorted({chance.randrange(count) for _ in range(3)} - {index})
        refs = [f"component:default/svc-{other:05d}" for other in needs]
        language = LANGUAGES[index % 3]
        yield {
            "apiVersion": "backstage.io/v1alpha1",
            "kind": "Component",
            "metadata": {
                "namespace": "default",
                "name": name,
                "uid": f"00000000-0000-4000-8000-{index:012d}",
                "etag": f"{index:040x}",
                "title": name.title(),
                "description": f"Service {name} owned by {team}",
                "annotations": {
                    "backstage.io/managed-by-location": f"url:https://git.example.com/{team}/{name}/blob/main/c.yaml",
                    "backstage.io/techdocs-ref": "dir:.",
                    "github.com/project-slug": f"acme/{name}",
                    "nthlayer.dev/tier": str(index % 3 + 1),
                },
                "labels": {"language": language},
                "tags": [language, "api"],
                "links": [{"url": f"https://grafana.example.com/d/{name}", "title": "Dashboard"}],
            },
            "spec": {
                "type": "service",
                "lifecycle": "production",
                "owner": f"group:default/{team}",
                "system": f"system-{team}",
                "dependsOn": refs,
            },
            "relations": [
                {"type": "ownedBy", "targetRef": f"group:default/{team}"},
                *({"type": "dependsOn", "targetRef": ref} for ref in refs),
                {"type": "partOf", "targetRef": f"system:default/system-{team}"},
            ],
        }


def write(count: int, path: Path) -> Path:
    """The catalog as one JSON file."""
    path.write_text(json.dumps(list(entities(count))))
    return path
