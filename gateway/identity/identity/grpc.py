"""What other services ask of identity (proto/praxis/identity/v1/identity.proto)."""

from uuid import UUID

from chassis.errors import Invalid
from chassis.uow import Uow
from identity.tokens.minting import LIFETIME
from identity.tokens.source import mint_of
from identity.work import settings_of
from praxis.identity.v1.identity_pb2 import IssuePortalTokenRequest, IssuePortalTokenResponse


def issue_portal_token(uow: Uow, request: IssuePortalTokenRequest) -> IssuePortalTokenResponse:
    """A portal session for a contact whom the portal has just verified. Errors: `firm_mismatch`, `contact_invalid`."""
    if request.firm_id != str(uow.firm_id):
        raise Invalid("firm_mismatch", "The token is asked for another firm than the call is for.")
    contact_id, client_ids = _ids(request)
    token = mint_of(settings_of(uow.runtime)).portal(
        contact_id=contact_id, firm_id=uow.firm_id, client_ids=client_ids, now=uow.now
    )
    uow.audit("portal_token.issued", "contact", contact_id, after={"client_ids": list(request.client_ids)})
    return IssuePortalTokenResponse(access_token=token, expires_in=LIFETIME)


def _ids(request: IssuePortalTokenRequest) -> tuple[UUID, list[UUID]]:
    try:
        contact_id, client_ids = UUID(request.contact_id), [UUID(c) for c in request.client_ids]
    except ValueError as error:
        raise Invalid("contact_invalid", "Contact and clients are named by their ids.") from error
    if not client_ids:
        raise Invalid("contact_invalid", "A contact without clients has no portal.")
    return contact_id, client_ids
