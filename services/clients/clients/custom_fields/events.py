"""What a custom field looks like to the other services."""

from clients.custom_fields.tables import CustomField
from praxis.clients.v1.events_pb2 import CustomFieldChanged


def custom_field_changed(field: CustomField) -> CustomFieldChanged:
    """The field's current state."""
    return CustomFieldChanged(
        custom_field_id=str(field.id),
        key=field.key,
        label=field.label,
        kind=field.kind,
        choices=field.choices,
        active=field.active,
        version=field.version,
    )
