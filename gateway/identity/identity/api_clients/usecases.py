"""Access for partner systems and for Praxis's own services (OAuth 2 client credentials, RFC 6749, 4.4)."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid5

from sqlalchemy import update

from chassis.db import new_id
from chassis.errors import Conflict, Invalid, TooMany
from chassis.uow import Uow
from identity.api_clients.rules import excess, granted
from identity.api_clients.tables import ApiClient
from identity.sessions import throttle
from identity.sessions.rules import ADDRESS, NETWORK
from identity.staff.permissions import all_permissions, permissions_of
from identity.staff.tables import Staff
from identity.tokens import opaque
from identity.tokens.source import mint_of
from identity.work import Caller, firm_is_known, for_firm, settings_of

if TYPE_CHECKING:
    from chassis.service import Runtime

_FROM_KEY = UUID("6f1f0f64-5f0e-4a30-9d0c-0c3f6c0b7f0a")  # namespace of ids made from idempotency keys


# --- the firm's side --------------------------------------------------------------------------------------------------


def create_api_client(uow: Uow, name: str, scopes: list[str]) -> tuple[ApiClient, str]:
    """A new API client and its secret, which is told here and never again. Errors: `scopes_unknown`, `scopes_exceed_yours` (422);
    `api_client_exists` (409) if the same Idempotency-Key made one before: its secret was told then and can't be told again."""
    if unknown := excess(scopes, all_permissions()):
        raise Invalid("scopes_unknown", f"There is no permission {unknown[0]}.", pointer="/scopes", scopes=unknown)
    creator = uow.get(Staff, uow.principal.id)
    mine = set(permissions_of(creator.roles)) & uow.principal.permissions
    if beyond := excess(scopes, mine):
        raise Invalid(
            "scopes_exceed_yours", f"You can't give what you don't have: {beyond[0]}.", pointer="/scopes", scopes=beyond
        )
    token = opaque.new(uow.firm_id, _id_for(uow))
    client = ApiClient(
        id=token.id,
        name=name.strip(),
        digest=token.digest(),
        scopes=sorted(scopes),
        created_at=uow.now,
        created_by=creator.id,
    )
    if uow.session.get(ApiClient, (uow.firm_id, client.id)):
        raise Conflict(
            "api_client_exists",
            "This key has made an API client already. Its secret was shown then; make another, or revoke it.",
        )
    uow.add(client)
    uow.audit("api_client.created", "api_client", client.id, after={"name": client.name, "scopes": client.scopes})
    # The answer holds the secret, so it must not be kept for replay; the id made from the key keeps a repeat from having effect.
    uow.idempotency = None
    return client, token.encode()


def _id_for(uow: Uow) -> UUID:
    if uow.idempotency is None:
        return new_id()
    return uuid5(_FROM_KEY, f"{uow.firm_id} {uow.principal.actor} {uow.idempotency.key}")


def revoke_api_client(uow: Uow, api_client_id: UUID) -> ApiClient:
    """Ends a partner system's access. Done twice, it is done."""
    client = uow.get(ApiClient, api_client_id, lock=True)
    if client.revoked_at is None:
        client.revoked_at = uow.now
        uow.session.flush()
        uow.audit("api_client.revoked", "api_client", client.id)
    return client


# --- the token endpoint -----------------------------------------------------------------------------------------------


class TokenRefused(Exception):
    """A refusal in the words of RFC 6749, 5.2."""

    def __init__(self, error: str, description: str, status: int = 400, retry_after: int | None = None) -> None:
        super().__init__(error)
        self.error, self.description, self.status, self.retry_after = error, description, status, retry_after


@dataclass(frozen=True)
class Granted:
    """An access token and, for a partner, the scope it has."""

    access_token: str
    scope: str | None


def token(runtime: "Runtime", caller: Caller, form: dict[str, Any]) -> Granted:
    """A token by client credentials. Errors: `TokenRefused`."""
    if not form.get("grant_type"):
        raise TokenRefused("invalid_request", "grant_type is missing")
    if form["grant_type"] != "client_credentials":
        raise TokenRefused("unsupported_grant_type", "only client_credentials is supported")
    client_id, secret = str(form.get("client_id", "")), str(form.get("client_secret", ""))
    if not client_id or not secret:
        raise TokenRefused("invalid_client", "client_id and client_secret are needed", 401)
    _slow_down(runtime, caller, client_id, taken=True)
    if client_id.startswith("service:"):
        answer = _service_token(runtime, client_id.removeprefix("service:"), secret, form.get("firm"))
    else:
        answer = _partner_token(runtime, caller, client_id, secret, form.get("scope"))
    _slow_down(runtime, caller, client_id, taken=False)
    return answer


def _slow_down(runtime: "Runtime", caller: Caller, client_id: str, *, taken: bool) -> None:
    """Counts a try before it is made, or forgives it. Secrets can't be guessed; this keeps a broken client from hammering."""
    secret = settings_of(runtime).key_for("attempts")
    of_client, of_network = (
        throttle.key(secret, "client", f"{client_id} {caller.source}"),
        throttle.key(secret, "clients-network", caller.source),
    )
    if not taken:
        throttle.forgive(runtime.engine, entirely=of_client, one=of_network)
        return
    try:
        throttle.take(runtime.engine, {of_client: ADDRESS, of_network: NETWORK})
    except TooMany as error:
        raise TokenRefused("slow_down", error.message, 429, error.retry_after) from error


def _service_token(runtime: "Runtime", service: str, secret: str, firm: Any) -> Granted:
    expected = settings_of(runtime).service_secrets.get(service, "")
    if not expected or not hmac.compare_digest(secret.encode(), expected.encode()):
        raise TokenRefused("invalid_client", "unknown client or wrong secret", 401)
    try:
        firm_id = UUID(str(firm)) if firm else None
    except ValueError as error:
        raise TokenRefused("invalid_request", "firm must be a UUID") from error
    mint = mint_of(settings_of(runtime))
    return Granted(mint.service(service=service, firm_id=firm_id, now=datetime.now(UTC)), None)


def _partner_token(runtime: "Runtime", caller: Caller, client_id: str, secret: str, scope: str | None) -> Granted:
    unknown = TokenRefused("invalid_client", "unknown client or wrong secret", 401)
    named, shown = opaque.decode_reference(client_id), opaque.decode(secret)
    if (
        named is None
        or shown is None
        or named != (shown.firm_id, shown.id)
        or not firm_is_known(runtime, shown.firm_id)
    ):
        raise unknown
    with for_firm(runtime, shown.firm_id, caller) as uow:
        client = uow.session.get(ApiClient, (uow.firm_id, shown.id))
        if client is None or not hmac.compare_digest(client.digest, shown.digest()) or client.revoked_at is not None:
            raise unknown
        permissions = granted(scope, client.scopes, all_permissions())
        if permissions is None:
            raise TokenRefused("invalid_scope", "scope names something this client was not given")
        access = mint_of(settings_of(runtime)).partner(
            api_client_id=client.id, firm_id=uow.firm_id, name=client.name, permissions=permissions, now=uow.now
        )
        uow.session.execute(update(ApiClient).where(ApiClient.id == client.id).values(last_used_at=uow.now))
        uow.audit("api_client.token_issued", "api_client", client.id)
        uow.commit()
        return Granted(access, " ".join(permissions))
