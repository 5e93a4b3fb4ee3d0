"""What a group's state looks like to the other services."""

from clients.groups.tables import ClientGroup
from praxis.clients.v1.events_pb2 import GroupChanged


def group_changed(group: ClientGroup) -> GroupChanged:
    """The group's current state, with all its clients."""
    return GroupChanged(
        group_id=str(group.id),
        name=group.name,
        kind=group.kind,
        parent_id=str(group.parent_id or ""),
        bill_to_client_id=str(group.bill_to_id or ""),
        client_ids=sorted(str(member.client_id) for member in group.members),
        version=group.version,
    )
