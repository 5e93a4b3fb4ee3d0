"""An API client as the API shows it: never with its secret."""

from datetime import datetime
from typing import Any

from identity.api_clients.tables import ApiClient
from identity.tokens.opaque import encode_reference


def api_client_view(client: ApiClient) -> dict[str, Any]:
    return {
        "id": str(client.id),
        "name": client.name,
        "client_id": encode_reference(client.firm_id, client.id),
        "scopes": list(client.scopes),
        "created_at": client.created_at.isoformat(),
        "created_by": str(client.created_by),
        "last_used_at": _iso(client.last_used_at),
        "revoked_at": _iso(client.revoked_at),
        "version": client.version,
    }


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
