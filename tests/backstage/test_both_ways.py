"""What stands in Git reaches the daemon through Backstage, and what came of it stands on Backstage's pages."""

import pytest

from tests.backstage.town import ORGANISATION, Town, component, until

pytestmark = pytest.mark.timeout(300)

TIER = "sync.nthlayer.dev/tier"


async def test_an_annotation_in_git_changes_the_operational_world_and_shows_on_the_entity(town: Town) -> None:
    town.commit({"org.yaml": ORGANISATION, "shop.yaml": [component("shop", "2")]})
    await town.start_backstage()
    await town.start_daemon()
    await until(lambda: town.entity("shop"), "Backstage has ingested")

    async def applied() -> bool:
        return any("shop" in path for path in town.landed())

    await until(applied, "the daemon has applied")

    async def shown() -> bool:
        return await town.annotation("shop", TIER) == "2"

    await until(shown, "the tier stands on the entity")
    before = town.landed()

    town.commit({"shop.yaml": [component("shop", "1", title="Our shop")]})
    await town.refresh("shop.yaml")

    async def changed() -> bool:
        return await town.annotation("shop", TIER) == "1" and town.landed() != before

    await until(changed, "the new tier stands on the entity, and what it means has landed")
    entity = await town.entity("shop")
    assert entity
    assert entity["metadata"]["title"] == "Our shop"
    assert town.removed() == []
