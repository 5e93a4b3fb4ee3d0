"""The firm's logo: set by staff, kept by documents, announced, shown on pages and in mails."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image

from chassis.db import new_id
from chassis.errors import NotFound
from chassis.testing import Answer
from praxis.documents.v1 import documents_pb2 as documents
from praxis.portal.v1.events_pb2 import BrandingChanged

from .conftest import Firm


def picture(colour: str = "#7a1f5c", kind: str = "PNG") -> bytes:
    out = BytesIO()
    Image.new("RGB", (240, 80), colour).save(out, kind)
    return out.getvalue()


class Pictures:
    """Documents' part at its port: keeps pictures in memory, the same once."""

    def __init__(self, firm: Firm) -> None:
        self.kept: dict[str, Any] = {}
        firm.world.answers("documents", {"KeepPicture": self._keep, "ReadPicture": self._read})

    def _keep(self, asked: Any) -> documents.KeepPictureResponse:
        for id, known in self.kept.items():
            if known.content == asked.content:
                return documents.KeepPictureResponse(picture_id=id)
        id = str(new_id())
        self.kept[id] = asked
        return documents.KeepPictureResponse(picture_id=id)

    def _read(self, asked: Any) -> documents.ReadPictureResponse:
        if asked.picture_id not in self.kept:
            raise NotFound("picture_not_found", "There is no such picture.")
        known = self.kept[asked.picture_id]
        return documents.ReadPictureResponse(media_type=known.media_type, content=known.content)


@pytest.fixture
def pictures(firm: Firm) -> Pictures:
    return Pictures(firm)


def put(firm: Firm, content: bytes, version: int, kind: str = "image/png") -> Answer:
    return firm.api.put("/branding/logo", content=content, if_match=version, headers={"content-type": kind})


def test_a_logo_is_kept_by_documents_and_announced_with_the_branding(firm: Firm, pictures: Pictures) -> None:
    firm.api.get("/branding/logo").problem(404, "logo_not_found")
    set = put(firm, picture(), 1).expect(200)
    logo_id = set.json["logo_id"]
    assert list(pictures.kept) == [logo_id]
    assert set.json["version"] == 2
    shown = firm.api.get("/branding/logo").expect(200)
    assert shown.headers["content-type"] == "image/png"
    assert Image.open(BytesIO(shown.response.content)).size == (240, 80)
    assert [(e.logo_id, e.version) for e in firm.world.events(firm.id, BrandingChanged)] == [("", 1), (logo_id, 2)]

    again = put(firm, picture(), 2).expect(200)
    assert again.json["version"] == 2, "the same logo again changes nothing"
    other = put(firm, picture("#0f766e", "JPEG"), 2, "image/jpeg").expect(200)
    assert other.json["logo_id"] != logo_id

    gone = firm.api.delete("/branding/logo", if_match=3).expect(200)
    assert (gone.json["logo_id"], gone.json["version"]) == (None, 4)
    assert firm.world.events(firm.id, BrandingChanged)[-1].logo_id == ""


def test_a_bad_logo_is_refused_and_changes_nothing(firm: Firm, pictures: Pictures) -> None:
    events = len(firm.world.events(firm.id))
    put(firm, b"<svg/>", 1).problem(422, "logo_not_a_picture")
    put(firm, bytes(700_001), 1).problem(422, "logo_too_large")
    put(firm, bytes(1_000_001), 1).problem(413, "body_too_large")
    put(firm, picture(), 1, "image/svg+xml").expect(415)
    put(firm, picture(), 9).problem(412, "version_conflict")
    firm.api.put("/branding/logo", content=picture(), headers={"content-type": "image/png"}).problem(428, "if_match_required")  # fmt: skip
    reader = firm.world.api(firm.id, permissions=["portal:branding:read"])
    reader.put("/branding/logo", content=picture(), if_match=1, headers={"content-type": "image/png"}).problem(403, "permission_missing")  # fmt: skip
    assert firm.api.get("/branding").json["logo_id"] is None
    assert len(firm.world.events(firm.id)) == events


def test_pages_show_the_logo_to_who_is_signed_in(firm: Firm, pictures: Pictures) -> None:
    logo_id = put(firm, picture(), 1).expect(200).json["logo_id"]
    browser = firm.signed_in()
    page = browser.get("/portal").text
    assert f'src="/portal/logo/{logo_id}" alt="Hartley &amp; Moss"' in page
    shown = browser.get(f"/portal/logo/{logo_id}")
    assert shown.headers["content-type"] == "image/png"
    assert "immutable" in shown.headers["cache-control"]
    assert browser.get(f"/portal/logo/{new_id()}").status_code == 404
    assert firm.browser().get(f"/portal/logo/{logo_id}").status_code == 303, "a stranger is sent to sign in"


def test_mails_carry_the_logo_and_go_out_without_it_where_it_can_not_be_had(firm: Firm, pictures: Pictures) -> None:
    logo_id = put(firm, picture(), 1).expect(200).json["logo_id"]
    for _ in range(2):
        firm.api.post("/invitations", {"contact_id": str(firm.contact)}).expect(201)
        firm.world.run_due(firm.id)
        pictures.kept.clear()
    first, second = firm.mailbox.to(firm.email)
    related = [p for p in first.walk() if p.get_content_type() == "image/png"]
    assert [p["Content-ID"] for p in related] == [f"<logo-{logo_id}@praxis>"]
    assert f"cid:logo-{logo_id}@praxis" in first.get_body(("html",)).get_content()
    assert "Hartley" in first.get_body(("plain",)).get_content()
    assert not [p for p in second.walk() if p.get_content_maintype() == "image"]
    assert "cid:" not in second.get_body(("html",)).get_content()
