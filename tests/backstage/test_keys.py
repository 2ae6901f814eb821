"""Both sides agree on the annotations that may be written on entities."""

import re
from pathlib import Path

from nthlayer_sync.model.entity import OUTPUT_PREFIX
from nthlayer_sync.plugins.backstage.annotations import SHOWN_BY
from tests.backstage.conftest import WORKSPACE


def merge() -> str:
    """The part of our module that decides what goes onto an entity."""
    return Path(WORKSPACE / "plugins/catalog-backend-module-nthlayer/src/annotations/merge.ts").read_text()


def test_the_module_takes_every_key_that_the_daemon_writes_and_no_other() -> None:
    [known] = re.findall(r"WELL_KNOWN:[^[]*\[([^\]]*)\]", merge())
    assert sorted(re.findall(r"'([^']+)'", known)) == sorted(key for keys in SHOWN_BY.values() for key in keys)


def test_both_know_the_same_prefix() -> None:
    assert f"PREFIX = '{OUTPUT_PREFIX}'" in merge()
