"""What other services ask the portal."""

from chassis.uow import Uow
from portal.branding import usecases
from praxis.portal.v1.portal_pb2 import GetBrandingRequest, GetBrandingResponse


def get_branding(uow: Uow, request: GetBrandingRequest) -> GetBrandingResponse:
    return GetBrandingResponse(branding=usecases.state_of(usecases.of_firm(uow)))
