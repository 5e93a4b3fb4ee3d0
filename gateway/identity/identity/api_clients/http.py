"""Operations about API clients, and the token endpoint."""

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote_plus
from uuid import UUID

from chassis.http import Reply, asked, created
from chassis.uow import Uow
from identity.api_clients import queries, usecases
from identity.api_clients.tables import ApiClient
from identity.api_clients.usecases import TokenRefused
from identity.api_clients.views import api_client_view
from identity.tokens.minting import LIFETIME
from identity.work import Caller

if TYPE_CHECKING:
    from chassis.service import Runtime

_PRIVATE = {"cache-control": "no-store"}


def list_api_clients(uow: Uow, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    return queries.list_api_clients(uow, limit, cursor)


def create_api_client(uow: Uow, body: dict[str, Any]) -> Reply:
    client, secret = usecases.create_api_client(uow, body["name"], body["scopes"])
    return created(api_client_view(client) | {"client_secret": secret}, f"/api-clients/{client.id}", client.version)


def read_api_client(uow: Uow, api_client_id: str) -> Reply:
    return _reply(uow.get(ApiClient, api_client_id))


def revoke_api_client(uow: Uow, api_client_id: str) -> Reply:
    return _reply(usecases.revoke_api_client(uow, UUID(api_client_id)))


def _reply(client: ApiClient) -> Reply:
    return Reply(api_client_view(client), etag=client.version)


def token(runtime: "Runtime", body: dict[str, Any]) -> Reply:
    try:
        granted = usecases.token(runtime, Caller.of_request(), body | _basic(asked().headers.get("authorization", "")))
    except TokenRefused as refused:
        headers = dict(_PRIVATE)
        if refused.status == 401:
            headers["www-authenticate"] = 'Basic realm="praxis"'
        if refused.retry_after is not None:
            headers["retry-after"] = str(refused.retry_after)
        return Reply(
            {"error": refused.error, "error_description": refused.description}, refused.status, headers=headers
        )
    answer: dict[str, Any] = {"access_token": granted.access_token, "token_type": "Bearer", "expires_in": LIFETIME}
    return Reply(answer if granted.scope is None else answer | {"scope": granted.scope}, headers=_PRIVATE)


def _basic(header: str) -> dict[str, str]:
    """Credentials by HTTP Basic, each part form-encoded (RFC 6749, 2.3.1); none if there are none."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return {}
    try:
        client_id, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError as error:
        raise TokenRefused("invalid_client", "the Basic credentials can't be read", 401) from error
    return {"client_id": unquote_plus(client_id), "client_secret": unquote_plus(secret)}
