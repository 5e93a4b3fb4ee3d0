"""A firm as the API shows it, and as others keep it."""

from typing import Any

from identity.firms.tables import Firm
from praxis.identity.v1.events_pb2 import FirmUpdated

FIELDS = (
    "name",
    "time_zone",
    "currency",
    "country",
    "holidays_region",
    "language",
    "week_start",
    "quiet_from",
    "quiet_until",
)


def firm_view(firm: Firm) -> dict[str, Any]:
    return {"id": str(firm.id), **settings_view(firm), "version": firm.version}


def settings_view(firm: Firm) -> dict[str, Any]:
    return {field: getattr(firm, field) for field in FIELDS}


def firm_updated(firm: Firm) -> FirmUpdated:
    return FirmUpdated(firm_id=str(firm.id), version=firm.version, **settings_view(firm))
