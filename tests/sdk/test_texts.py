"""Keys of live texts, and configs that move from one key to another."""

from collections.abc import Collection, Mapping, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nthlayer_sync.errors import Failure, PermanentError
from nthlayer_sync.model.config import Config, ConfigId, Observed, Spec
from nthlayer_sync.model.diff import Action, Diff
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef, entity_ref
from nthlayer_sync.sdk.testing import HOSTILE
from nthlayer_sync.sdk.texts import Change, TextTarget, key_of

PARTS = st.text(st.sampled_from("ab.-_/:é A"), min_size=1, max_size=6)


class Kept:
    """Texts in memory."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self.texts = dict(texts)

    async def everything(self) -> Mapping[str, str]:
        return self.texts

    async def read(self, paths: Collection[str]) -> Mapping[str, str]:
        return {path: self.texts[path] for path in paths if path in self.texts}

    async def change(self, changes: Sequence[Change]) -> list[Failure | None]:
        for change in changes:
            self.texts = {path: text for path, text in (self.texts | change).items() if text is not None}
        return [None] * len(changes)

    def ours(self, path: str, text: str) -> bool:
        return text.startswith("ours")


@pytest.mark.parametrize(
    ("ref", "key"),
    [
        ("component:default/payments-api", "payments-api.slo"),
        ("component:eu/payments", "eu.payments.slo"),
    ],
)
def test_ordinary_names_are_kept(ref: str, key: str) -> None:
    assert key_of(EntityRef(ref), "slo") == key


@given(st.lists(st.tuples(PARTS, PARTS), min_size=2, max_size=2, unique=True))
def test_no_two_subjects_share_a_key(parts: list[tuple[str, str]]) -> None:
    first, second = (entity_ref("component", name, namespace) for namespace, name in parts)
    if first != second:
        assert key_of(first, "slo") != key_of(second, "slo")


@pytest.mark.parametrize("value", HOSTILE)
def test_a_key_is_always_the_name_of_a_file(value: str) -> None:
    for ref in (f"component:default/{value}", f"component:{value}/x"):
        key = key_of(EntityRef(ref), "slo")
        assert not set(key) - set("abcdefghijklmnopqrstuvwxyz0123456789-_.")
        assert not key.startswith(".")
        assert len(key) <= 200


async def test_a_config_moves_within_its_root() -> None:
    kept = Kept({"rules/old": "ours 1", "rules/theirs": "x"})
    target = TextTarget("prometheus", "server", kept)
    id = ConfigId("prometheus/slo_rules", EntityRef("component:default/a"))
    old, new, theirs = (Place("prometheus:server", f"rules/{name}") for name in ("old", "new", "theirs"))
    config = Config(id, None, Spec(), new, "")
    [result] = await target.write([Diff(id, Action.UPDATE, config, None, after="ours 2", was=old)], "key")
    assert (result.outcome, kept.texts) == ("done", {"rules/new": "ours 2", "rules/theirs": "x"})
    observed = Observed(id, new, result.revision, "ours 2", marked=True)
    [result] = await target.write([Diff(id, Action.UPDATE, config, observed, after="ours 3", was=theirs)], "key")
    assert (result.outcome, kept.texts) == ("done", {"rules/new": "ours 3", "rules/theirs": "x"})


async def test_a_server_that_the_settings_no_longer_name_is_left_alone() -> None:
    kept = Kept({"rules/a": "ours"})
    target = TextTarget("prometheus", "mimir", kept)
    id = ConfigId("prometheus/slo_rules", EntityRef("component:default/a"))
    there = Observed(id, Place("prometheus:server", "rules/a"), "", None, marked=True)
    with pytest.raises(PermanentError, match="settings name no prometheus:server"):
        await target.revisions("prometheus:server", None)
    with pytest.raises(PermanentError):
        await target.write([Diff(id, Action.DELETE, None, there)], "key")
    assert kept.texts == {"rules/a": "ours"}
