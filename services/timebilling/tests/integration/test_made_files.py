"""Electronic invoices and statements: made by the worker, kept by documents, refused by the rule they break."""

import struct
import zlib
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any
from uuid import UUID

import pytest
from lxml import etree
from pypdf import PdfReader

from chassis.db import new_id
from chassis.errors import NotFound, Unavailable
from praxis.documents.v1.documents_pb2 import ReadPictureResponse, StoreGeneratedResponse
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.portal.v1.events_pb2 import BrandingChanged
from timebilling.invoices import pdf

DOCUMENT = "018f0000-0000-7000-8000-000000000001"


class Kept:
    """What documents was handed."""

    def __init__(self, world: Any) -> None:
        stored = StoreGeneratedResponse(document=DocumentChanged(document_id=DOCUMENT))
        self.pictures: dict[str, bytes] = {}
        self._calls = world.answers("documents", {"StoreGenerated": lambda _: stored, "ReadPicture": self._picture})

    def files(self) -> dict[str, tuple[str, bytes]]:
        """Kind and bytes by name."""
        stored = (parts for method, parts in self._calls if method == "StoreGenerated")
        return {p[0].file.name: (p[0].file.kind, b"".join(x.chunk for x in p[1:])) for p in stored}

    def _picture(self, asked: Any) -> ReadPictureResponse:
        if asked.picture_id not in self.pictures:
            raise NotFound("picture_not_found", "There is no such picture.")
        return ReadPictureResponse(media_type="image/png", content=self.pictures[asked.picture_id])


@pytest.fixture
def billed(firm: Any, world: Any) -> Any:
    """A firm with an address and a tax number, and an issued invoice of two entries with tax."""
    firm.kept = Kept(world)
    firm.rate("100.00")
    vat = firm.partner.post(
        "/tax-codes", {"code": "V", "label": "VAT", "category": "S", "percent": "20", "from": "2011-01-04"}
    ).expect(201)
    seller = {
        "legal_name": "Brook & Partners LLP",
        "line1": "1 Quay Street",
        "city": "Bristol",
        "postcode": "BS1 1AA",
        "vat_id": "GB980780684",
    }
    firm.partner.patch("/settings", {"default_tax_code_id": vat.json["id"], "seller": seller}, if_match=0).expect(200)
    firm.approved(3600, 5000)
    firm.invoice = firm.issued(group_by="entry")
    return firm


def ask(firm: Any, kind: str, status: int = 201) -> Any:
    return firm.partner.post(f"/invoices/{firm.invoice['id']}/files", {"format": kind}).expect(status).json


def made(firm: Any, file: Any) -> Any:
    firm.world.run_due(firm.id)
    firm.world.run_due(firm.id)
    return firm.partner.get(f"/files/{file['id']}").expect(200).json


def test_an_invoice_is_made_as_cii_and_ledes_and_kept(billed: Any) -> None:
    cii, ledes = ask(billed, "cii"), ask(billed, "ledes")
    assert (cii["state"], cii["ahead"], ledes["ahead"]) == ("waiting", 0, 1)
    done = made(billed, cii)
    assert (done["state"], done["document_id"], done["problem"], done["number"]) == (
        "kept",
        DOCUMENT,
        None,
        "INV-000001",
    )
    files = billed.kept.files()
    kind, xml = files["INV-000001-cii.xml"]
    assert kind == "e_invoice"
    total = etree.fromstring(xml).xpath("string(//*[local-name()='GrandTotalAmount'])")
    assert total == billed.invoice["total"]["amount"]
    head, names, *lines = [
        r.split("|") for r in files["INV-000001.txt"][1].decode("ascii").removesuffix("[]\r\n").split("[]\r\n")
    ]
    assert (head, len(names), [x[9] for x in lines]) == (["LEDES1998B"], 24, ["F", "F", "E"])
    assert {x[4] for x in lines} == {billed.invoice["total"]["amount"]}
    assert [(x[10], x[20], x[12], x[21], x[22]) for x in lines[:2]] == [
        ("1.00", "100.00", "100.00", "Ada Moss", "AS"),
        ("1.39", "100.00", "138.89", "Ada Moss", "AS"),
    ]


def test_ledes_tells_the_time_as_it_is_billed_where_tasks_are_rounded_together(billed: Any) -> None:
    rounding = {"increment_seconds": 360, "direction": "up", "minimum_seconds": 0, "per": "task"}
    version = billed.partner.get("/settings").json["version"]
    billed.partner.patch("/settings", {"rounding": rounding}, if_match=version).expect(200)
    billed.approved(300, 300, task_id=str(billed.task))
    billed.invoice = billed.issued()
    made(billed, ask(billed, "ledes"))
    _, _, *lines = billed.kept.files()["INV-000002.txt"][1].decode().removesuffix("[]\r\n").split("[]\r\n")
    # Ten minutes are twelve: 0.1 h each at 100.00, nothing adjusted.
    assert [(r[10], r[11], r[12]) for r in (x.split("|") for x in lines[:2])] == [("0.10", "0.00", "10.00")] * 2


def test_what_breaks_a_rule_is_refused_by_its_name_and_nothing_leaves(billed: Any) -> None:
    done = made(billed, ask(billed, "ubl"))
    assert (done["state"], done["document_id"], done["problem"]["code"]) == ("refused", None, "e_invoice_refused")
    assert [r["rule"] for r in done["problem"]["rules"]] == [
        "PEPPOL-EN16931-R020",
        "PEPPOL-EN16931-R010",
        "PEPPOL-EN16931-R003",
    ]
    assert "INV-000001-ubl.xml" not in billed.kept.files()


def test_a_statement_is_made_in_the_clients_language(billed: Any) -> None:
    billed.pay("50.00", (billed.invoice["id"], "50.00"))
    body = {"first": billed.day(30), "last": billed.day(0)}
    file = billed.partner.post(f"/clients/{billed.client}/statement-files", body).expect(201).json
    assert made(billed, file)["state"] == "kept"
    kind, content = billed.kept.files()[file["name"]]
    assert kind == "statement"
    text = PdfReader(BytesIO(content)).pages[0].extract_text()
    for said in (
        "Statement of account",
        "Invoice INV-000001",
        "286.67",
        "Payment",
        "-50.00",
        "To pay",
        "GBP 236.67",
        "Smith Ltd",
    ):
        assert said in text


def test_what_can_not_be_made_is_refused_at_once(billed: Any, new_firm: Any) -> None:
    billed.approved(60)
    draft = billed.draft()
    billed.partner.post(f"/invoices/{draft['id']}/files", {"format": "cii"}).problem(409, "invoice_not_issued")
    billed.partner.post(f"/invoices/{billed.invoice['id']}/files", {"format": "docx"}).problem(400, "request_invalid")
    note = billed.partner.post(f"/invoices/{billed.invoice['id']}/credit-notes", {"reason": "complaint"}).json
    billed.partner.post(f"/invoices/{note['id']}/files", {"format": "ledes"}).problem(409, "ledes_no_credit_notes")
    path = f"/clients/{billed.client}/statement-files"
    billed.partner.post(path, {"first": billed.day(0), "last": billed.day(1)}).problem(422, "period_reversed")
    billed.partner.post(path, {"first": billed.day(1), "last": billed.day(0), "currency": "ABC"}).problem(
        422, "currency_unknown"
    )
    stranger = new_firm().partner
    stranger.post(f"/invoices/{billed.invoice['id']}/files", {"format": "cii"}).problem(404, "invoice_not_found")
    stranger.get(f"/files/{ask(billed, 'cii')['id']}").problem(404, "file_not_found")


def test_private_clients_files_are_hidden(billed: Any, world: Any) -> None:
    file = ask(billed, "cii")
    billed.add_client(billed.client, only=[billed.pat], version=2)
    outsider = world.api(billed.id, staff=new_id())
    assert outsider.get("/files").json["items"] == []
    outsider.get(f"/files/{file['id']}").problem(404, "file_not_found")
    outsider.post(f"/invoices/{billed.invoice['id']}/files", {"format": "cii"}).problem(404, "invoice_not_found")
    assert made(billed, file)["state"] == "kept"


def test_the_invoices_own_pdf_carries_the_electronic_one(billed: Any) -> None:
    billed.world.run_due(billed.id)
    kind, content = billed.kept.files()["INV-000001.pdf"]
    assert kind == "invoice"
    assert "factur-x.xml" in PdfReader(BytesIO(content)).attachments
    rendered = next(a for a in billed.world.audit(billed.id) if a.action == "invoice.rendered")
    assert rendered.after["e_invoice"] == "embedded"


def pictures_of(content: bytes) -> list[tuple[int, int]]:
    found = [x.get_object() for x in PdfReader(BytesIO(content)).pages[0]["/Resources"].get("/XObject", {}).values()]
    return [(x["/Width"], x["/Height"]) for x in found if x["/Subtype"] == "/Image"]


def test_the_logo_of_the_portals_event_stands_on_invoices_issued_from_then_on(billed: Any) -> None:
    def branding(logo_id: str, version: int) -> None:
        event = BrandingChanged(firm_id=str(billed.id), display_name="Brook", accent="#123456", logo_id=logo_id)
        event.version = version
        billed.world.deliver(billed.id, event)

    first, second, lost = str(new_id()), str(new_id()), str(new_id())
    billed.kept.pictures = {first: grey(64, 32), second: grey(48, 32)}
    branding(first, 2)
    billed.approved(60)
    billed.issued()
    branding(second, 3)  # changed before the worker comes to it: the paper is that of the day of issue
    billed.approved(60)
    billed.issued()
    branding(lost, 4)
    billed.approved(60)
    billed.issued()
    billed.world.run_due(billed.id)
    files = billed.kept.files()
    assert [pictures_of(files[f"INV-00000{n}.pdf"][1]) for n in (1, 2, 3, 4)] == [[], [(64, 32)], [(48, 32)], []]
    body = {"first": billed.day(30), "last": billed.day(0)}
    branding(second, 5)
    file = billed.partner.post(f"/clients/{billed.client}/statement-files", body).expect(201).json
    assert made(billed, file)["state"] == "kept"
    assert pictures_of(billed.kept.files()[file["name"]][1]) == [(48, 32)]


def grey(width: int, height: int) -> bytes:
    """A PNG without a library."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    head, rows = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0), (b"\0" + bytes([128]) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def test_how_far_a_paper_is_can_be_read_while_it_is_made(
    billed: Any, world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = f"/invoices/{billed.invoice['id']}/pdf"
    assert billed.partner.get(path).expect(200).json == {
        "invoice_id": billed.invoice["id"], "number": "INV-000001", "state": "waiting", "document_id": None, "progress": None,
    }  # fmt: skip
    seen: list[Any] = []

    def watched(do: Any) -> Any:
        def looking(*parts: Any) -> Any:
            seen.append(billed.partner.get(path).json["progress"])
            return do(*parts)

        return looking

    for name in ("render", "pages_of", "_parts"):
        monkeypatch.setattr(pdf, name, watched(getattr(pdf, name)))
    world.run_due(billed.id)
    assert [(p["stage"], p["lines"], p["pages"]) for p in seen] == [
        ("composing", 2, None),
        ("composing", 2, None),
        ("storing", 2, 1),
    ]
    shown = billed.partner.get(path).json
    assert (shown["state"], shown["document_id"]) == ("kept", DOCUMENT)
    assert (shown["progress"]["stage"], shown["progress"]["tries"], shown["progress"]["problem"]) == ("kept", 1, None)
    billed.approved(60)
    billed.partner.get(f"/invoices/{billed.draft()['id']}/pdf").problem(409, "invoice_not_issued")
    billed.add_client(billed.client, only=[billed.ada], version=2)
    billed.partner.get(path).problem(404, "invoice_not_found")


def test_what_stands_against_a_paper_is_told_until_it_is_made(billed: Any, world: Any) -> None:
    file = ask(billed, "cii")
    away = [Unavailable("documents_unavailable", "Documents can not be reached.")]

    def stored(_: Any) -> StoreGeneratedResponse:
        if away:
            raise away[0]
        return StoreGeneratedResponse(document=DocumentChanged(document_id=DOCUMENT))

    with world.uow(billed.id) as uow:
        uow.cancel("render_invoice", UUID(billed.invoice["id"]))
        uow.commit()
    world.answers("documents", {"StoreGenerated": stored})
    world.run_due(billed.id)
    failing = billed.partner.get(f"/files/{file['id']}").json
    assert (failing["state"], failing["progress"]["stage"], failing["progress"]["tries"]) == ("waiting", "failing", 1)
    assert failing["progress"]["problem"]["code"] == "documents_unavailable"
    away.clear()
    world.run_due(billed.id, at=datetime.now(UTC) + timedelta(minutes=30))
    done = billed.partner.get(f"/files/{file['id']}").json
    assert (done["state"], done["progress"]["stage"], done["progress"]["tries"]) == ("kept", "kept", 2)
    assert done["progress"]["problem"] is None
