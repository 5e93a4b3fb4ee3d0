"""Setting and telling how the firm presents itself."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from chassis.errors import Invalid, NotFound
from chassis.uow import Uow
from portal.branding.pictures import Logo, logo_of
from portal.branding.rules import DEFAULT_ACCENT, readable_accent
from portal.branding.tables import Branding
from praxis.documents.v1.documents_pb2 import KeepPictureRequest, ReadPictureRequest
from praxis.portal.v1.events_pb2 import BrandingChanged


def of_firm(uow: Uow, *, lock: bool = False, version: int | None = None) -> Branding:
    """The firm's branding. Errors: `branding_not_found` before the firm itself has been heard of; `version_conflict`."""
    try:
        return uow.get(Branding, uow.firm_id, lock=lock, version=version)
    except NotFound as error:
        raise NotFound("branding_not_found", "This firm has only just been set up. Try again in a moment.") from error


def follow_firm(uow: Uow, name: str) -> None:
    """A new firm's branding begins with its name, and keeps to it until somebody chooses another."""
    branding = uow.session.get(Branding, (uow.firm_id, uow.firm_id), with_for_update=True)
    if branding is None:
        branding = Branding(
            id=uow.firm_id, display_name=name, own_name=False, accent=DEFAULT_ACCENT, address="", footer=""
        )
        uow.add(branding)
        _announce(uow, branding)
    elif not branding.own_name and branding.display_name != name:
        branding.display_name = name
        _announce(uow, branding)


def change(uow: Uow, wish: dict[str, Any], *, version: int | None) -> Branding:
    """Errors: `branding_not_found`, `version_conflict`, `accent_contrast_low`, `name_empty`."""
    branding = of_firm(uow, lock=True, version=version)
    before = facts(branding)
    if "accent" in wish:
        branding.accent = readable_accent(wish["accent"])
    if "display_name" in wish:
        branding.display_name, branding.own_name = _named(wish["display_name"]), True
    for field in ("address", "footer"):
        if field in wish:
            setattr(branding, field, wish[field].strip())
    if facts(branding) != before:
        _announce(uow, branding)
        uow.audit("branding.changed", "branding", branding.id, before=before, after=facts(branding))
    return branding


def set_logo(uow: Uow, sent: bytes, *, version: int | None) -> Branding:
    """Errors: `branding_not_found`, `version_conflict`, `logo_too_large`, `logo_not_a_picture`, `logo_dimensions`, `documents_unavailable`."""
    logo = logo_of(sent)
    branding = of_firm(uow, lock=True, version=version)
    request = KeepPictureRequest(media_type=logo.media_type, content=logo.content)
    # The same bytes are kept once, so it does no harm to be asked again.
    return _with_logo(uow, branding, UUID(uow.ask("documents", "KeepPicture", request, timeout=10.0).picture_id))


def remove_logo(uow: Uow, *, version: int | None) -> Branding:
    """Errors: `branding_not_found`, `version_conflict`."""
    return _with_logo(uow, of_firm(uow, lock=True, version=version), None)


def _with_logo(uow: Uow, branding: Branding, logo_id: UUID | None) -> Branding:
    before = facts(branding)
    branding.logo_id = logo_id
    if facts(branding) != before:
        _announce(uow, branding)
        uow.audit("branding.logo_changed", "branding", branding.id, before=before, after=facts(branding))
    return branding


def logo(uow: Uow, branding: Branding) -> Logo:
    """The firm's logo. Errors: `logo_not_found` (404), `documents_unavailable` (503)."""
    if branding.logo_id is None:
        raise NotFound("logo_not_found", "This firm has no logo.")
    found = uow.ask("documents", "ReadPicture", ReadPictureRequest(picture_id=str(branding.logo_id)), timeout=5.0)
    return Logo(found.media_type, found.content)


def _named(name: str) -> str:
    shown = " ".join(name.split())
    if not shown:
        raise Invalid("name_empty", "Give the name your clients know you by.", pointer="/display_name")
    return shown


def facts(branding: Branding) -> dict[str, str | None]:
    return {
        "display_name": branding.display_name,
        "accent": branding.accent,
        "address": branding.address,
        "footer": branding.footer,
        "logo_id": str(branding.logo_id) if branding.logo_id else None,
    }


def state_of(branding: Branding) -> BrandingChanged:
    return BrandingChanged(firm_id=str(branding.firm_id), version=branding.version, **facts(branding))


def _announce(uow: Uow, branding: Branding) -> None:
    uow.session.flush()
    uow.announce(state_of(branding), subject=branding.id, version=branding.version)


def all_states(uow: Uow) -> Iterator[tuple[UUID, int, BrandingChanged]]:
    branding = uow.session.get(Branding, (uow.firm_id, uow.firm_id))
    if branding:
        yield branding.id, branding.version, state_of(branding)
