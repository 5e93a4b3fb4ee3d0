"""What a relationship looks like to the other services."""

from clients.relationships.tables import Relationship
from praxis.clients.v1.events_pb2 import RelationshipChanged


def relationship_changed(related: Relationship) -> RelationshipChanged:
    """The relationship's current state."""
    return RelationshipChanged(
        relationship_id=str(related.id),
        client_id=str(related.client_id),
        kind=related.kind,
        other_client_id=str(related.other_client_id or ""),
        other_name=related.other_name or "",
        since=related.since.isoformat() if related.since else "",
        until=related.until.isoformat() if related.until else "",
        version=related.version,
    )
