"""The life of a config: created, left alone, changed, edited by hand, changed on both sides, deleted, brought back."""

from nthlayer_sync.engine.guards import Consent
from nthlayer_sync.engine.undo import undo
from nthlayer_sync.sdk.plugin import PluginSettings


async def test_the_life_of_a_config(house):
    # It is wanted, and nothing is there.
    house.service("payments", "hello")
    house.service("orders", "hello")
    plan = await house.plan()
    assert await house.actions(plan) == {
        "payments notes/whole": "create", "payments notes/block": "create",
        "orders notes/whole": "create", "orders notes/block": "create",
    }  # fmt: skip
    results = await house.apply(plan)
    assert {result.outcome for result in results} == {"done"}
    assert house.file("payments/whole.txt") == "nthlayer-sync\nhello\n"

    # Nothing is left to do.
    plan = await house.plan()
    assert (plan.pending, plan.counts) == (0, {})

    # Somebody wants something else of it: only that changes.
    house.service("payments", "good day")
    plan = await house.plan()
    assert await house.actions(plan) == {"payments notes/whole": "update"}
    await house.apply(plan)
    assert house.file("payments/whole.txt") == "nthlayer-sync\ngood day\n"

    # People write around our block: that is theirs, and no drift.
    house.commit("payments/block.md", "# Ours\n" + house.file("payments/block.md") + "A note by hand.\n")
    plan = await house.plan()
    assert await house.actions(plan) == {"payments notes/block": "adopt"}
    await house.apply(plan)
    assert (await house.plan()).counts == {}

    # Our block changes; what people wrote around it stays.
    house.service("payments", "good day", title="New title")
    await house.apply(await house.plan())
    text = house.file("payments/block.md")
    assert text.startswith("# Ours\n")
    assert text.endswith("A note by hand.\n")
    assert "New title" in text

    # Somebody edits our part: it is shown, kept, and shown again until somebody decides.
    house.commit("payments/whole.txt", "nthlayer-sync\nedited\n")
    for _ in range(2):
        plan = await house.plan()
        assert (await house.changes(plan))["payments notes/whole"].reason == "drift: it was changed by hand"
        assert plan.pending == 0
    house.service("payments", "good evening", title="New title")
    plan = await house.plan()
    assert (await house.changes(plan))["payments notes/whole"].reason.startswith("conflict")
    plan = await house.plan(enforce=True)
    assert await house.actions(plan) == {"payments notes/whole": "update"}
    await house.apply(plan)
    assert house.file("payments/whole.txt") == "nthlayer-sync\ngood evening\n"

    # It is not wanted any more; the file goes, and undo brings it back.
    house.service("payments", "none", title="New title")
    plan = await house.plan(consent=Consent(deletes=1))
    assert await house.actions(plan) == {"payments notes/whole": "delete"}
    await house.apply(plan)
    assert "payments/whole.txt" not in house.git_files()
    results = await undo(house.store, house.generator(), plan.id)
    assert [result.outcome for result in results] == ["done"]
    assert house.file("payments/whole.txt") == "nthlayer-sync\ngood evening\n"
    assert await house.actions(await house.plan(consent=Consent(deletes=1))) == {"payments notes/whole": "delete"}


async def test_drift_is_overwritten_where_the_settings_say_so(house):
    house.settings = PluginSettings(drift="enforce")
    house.service("payments", "hello")
    await house.apply(await house.plan())
    house.commit("payments/whole.txt", "edited\n")
    plan = await house.plan()
    assert await house.actions(plan) == {"payments notes/whole": "update"}
    await house.apply(plan)
    assert house.file("payments/whole.txt") == "nthlayer-sync\nhello\n"
