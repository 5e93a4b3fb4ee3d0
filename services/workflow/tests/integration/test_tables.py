"""The mappings and the migrated database say the same."""

from chassis.testing import World, unmapped_differences
from workflow.app import service
from workflow.db import Base


def test_mappings_are_the_migrated_database(world: World) -> None:
    assert unmapped_differences(service, Base.metadata, world.runtime.settings.owner_database_url) == []
