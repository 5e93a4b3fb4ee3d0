"""How pages present the firm."""

from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

from chassis.uow import Uow
from portal import words
from portal.branding.rules import DEFAULT_ACCENT
from portal.branding.tables import Branding
from portal.copies.tables import FirmCopy


class Brand:
    """How the page presents the firm, and the firm's sense of today."""

    def __init__(self, name: str, accent: str, zone: str, language: str, logo_id: UUID | None = None) -> None:
        self.name, self.accent, self.logo_id = name, accent, logo_id
        self.locale = words.locale_of(language)
        self.today = datetime.now(ZoneInfo(zone)).date()

    @classmethod
    def nobodys(cls) -> "Brand":
        return cls("Client portal", DEFAULT_ACCENT, "UTC", "")

    @classmethod
    def of(cls, uow: Uow) -> "Brand":
        key = (uow.firm_id, uow.firm_id)
        branding, firm = uow.session.get(Branding, key), uow.session.get(FirmCopy, key)
        return cls(
            branding.display_name if branding else "Client portal",
            branding.accent if branding else DEFAULT_ACCENT,
            firm.time_zone if firm else "UTC",
            firm.language if firm else "",
            branding.logo_id if branding else None,
        )
