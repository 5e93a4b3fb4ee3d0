"""Uploading, proving, changing, finding and fetching, on a real database and a real object store."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
import urllib3
from sqlalchemy import text

from chassis.db import new_id
from chassis.errors import DomainError, NotFound
from chassis.testing import World
from documents.files import queries
from documents.store import Store, store_of
from documents.uploads import rules as upload_rules
from documents.uploads import usecases as uploads
from praxis.clients.v1.clients_pb2 import GetClientRequest, GetClientResponse
from praxis.clients.v1.events_pb2 import ClientChanged
from praxis.common.v1.types_pb2 import Audience
from praxis.documents.v1 import documents_pb2 as pb
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.workflow.v1.events_pb2 import JobChanged
from praxis.workflow.v1.workflow_pb2 import GetJobResponse

PDF = b"%PDF-1.4\n1 0 obj <<>> endobj\ntrailer <<>>\n%%EOF\n"
browser = urllib3.PoolManager(retries=False)


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def send(target: dict, data: bytes) -> urllib3.BaseHTTPResponse:
    """What a browser does with a target: a PUT, or a form post."""
    if target["method"] == "PUT":
        return browser.request("PUT", target["url"], body=data, headers=target["headers"])
    return browser.request(
        "POST", target["url"], fields={**target["fields"], "file": ("photo.jpg", data)}, redirect=False
    )


def store(world: World) -> Store:
    return store_of(world.runtime.settings)


class Firm:
    """A firm with a client, as the tests need it."""

    def __init__(self, world: World) -> None:
        self.world, self.id = world, world.firm()
        self.staff = new_id()
        self.client = self.add_client("Ada Lovelace")
        self.api = world.api(self.id, staff=self.staff)

    def add_client(self, name: str, visible_to: list[UUID] | None = None) -> UUID:
        id = new_id()
        audience = Audience(private=visible_to is not None, staff_ids=[str(s) for s in visible_to or []])
        self.world.deliver(self.id, ClientChanged(client_id=str(id), name=name, audience=audience, version=1))
        return id

    def add_job(self, client: UUID) -> UUID:
        id = new_id()
        self.world.deliver(self.id, JobChanged(job_id=str(id), client_id=str(client), title="VAT return", version=1))
        return id

    def start(self, data: bytes = PDF, **more: object) -> dict:
        body = {"client_id": str(self.client), "name": "statement.pdf", "size": len(data), "sha256": sha(data), **more}
        return self.api.post("/uploads", {k: v for k, v in body.items() if v is not None}).expect(201).json

    def upload(self, data: bytes = PDF, **more: object) -> dict:
        upload = self.start(data, **more)
        assert send(upload["targets"][0], data).status == 200
        return self.api.post(f"/uploads/{upload['id']}/complete").expect(200).json

    def states(self, document_id: str) -> list[tuple[str, int]]:
        events = self.world.events(self.id, DocumentChanged)
        return [(e.status, e.current_version) for e in events if e.document_id == document_id]


@pytest.fixture
def firm(world: World) -> Firm:
    return Firm(world)


# Uploads


def test_a_single_put_is_stored_as_soon_as_it_is_completed(firm: Firm) -> None:
    job = firm.add_job(firm.client)
    upload = firm.start(job_id=str(job), name="C:\\Users\\ada\\statement.pdf")
    assert upload["method"] == "put"
    assert upload["expires_in"] <= 60
    pending = firm.api.get(f"/documents/{upload['document_id']}").expect(200).json
    assert (pending["status"], pending["current_version"], pending["size"]) == ("pending", 0, None)
    assert firm.api.get("/documents").json["items"] == []

    assert send(upload["targets"][0], PDF).status == 200
    document = firm.api.post(f"/uploads/{upload['id']}/complete").expect(200).json

    assert (document["name"], document["status"], document["current_version"]) == ("statement.pdf", "stored", 1)
    assert (document["size"], document["sha256"], document["media_type"]) == (len(PDF), sha(PDF), "application/pdf")
    assert (document["client_name"], document["job_title"]) == ("Ada Lovelace", "VAT return")
    assert document["uploaded_by"] == {"kind": "staff", "id": str(firm.staff), "name": "Test"}
    assert firm.states(document["id"]) == [("pending", 0), ("stored", 1)]
    assert [d["id"] for d in firm.api.get(f"/documents?job_id={job}").json["items"]] == [document["id"]]


def test_the_store_refuses_bytes_whose_hash_differs_from_the_signed_one(firm: Firm) -> None:
    upload = firm.start()
    assert send(upload["targets"][0], PDF.replace(b"PDF", b"pdf")).status == 400
    without = {**upload["targets"][0], "headers": {}}
    assert send(without, PDF).status == 403
    firm.api.post(f"/uploads/{upload['id']}/complete").problem(409, "upload_not_received")
    assert firm.states(upload["document_id"]) == [("pending", 0)]


def test_a_file_that_is_not_the_announced_one_is_removed_and_refused(firm: Firm) -> None:
    upload = firm.start(PDF, size=len(PDF) + 1)
    assert send(upload["targets"][0], PDF).status == 200
    firm.api.post(f"/uploads/{upload['id']}/complete").problem(422, "size_differs")
    assert store(firm.world).stat(f"{firm.id}/{upload['id']}") is None
    assert firm.api.get("/documents").json["items"] == []
    assert firm.states(upload["document_id"]) == [("pending", 0)]


def test_hash_differs_when_other_bytes_reached_the_store(firm: Firm) -> None:
    upload = firm.start()
    store(firm.world).put(f"{firm.id}/{upload['id']}", [b"x" * len(PDF)], len(PDF))
    # This object has no checksum in the store, so the worker reads it.
    document = firm.api.post(f"/uploads/{upload['id']}/complete").expect(200).json
    assert document["status"] == "pending"
    assert firm.world.run_due(firm.id) == 1
    assert firm.states(upload["document_id"]) == [("pending", 0), ("refused", 0)]
    assert store(firm.world).stat(f"{firm.id}/{upload['id']}") is None
    state = firm.api.get(f"/uploads/{upload['id']}").expect(200).json
    assert (state["status"], state["refusal"]) == ("refused", "hash_differs")
    firm.api.post(f"/uploads/{upload['id']}/complete").problem(409, "upload_over")


def test_completing_twice_answers_the_same_document(firm: Firm) -> None:
    upload = firm.start()
    send(upload["targets"][0], PDF)
    first = firm.api.post(f"/uploads/{upload['id']}/complete").expect(200).json
    assert firm.api.post(f"/uploads/{upload['id']}/complete").expect(200).json == first
    assert firm.states(first["id"]) == [("pending", 0), ("stored", 1)]


def test_starting_twice_under_one_key_makes_one_document(firm: Firm) -> None:
    body = {"client_id": str(firm.client), "name": "a.pdf", "size": len(PDF), "sha256": sha(PDF)}
    first = firm.api.post("/uploads", body, key="k1").expect(201).json
    assert firm.api.post("/uploads", body, key="k1").expect(201).json == first
    assert len(firm.api.get("/documents?status=pending").json["items"]) == 1
    firm.api.post("/uploads", {**body, "name": "b.pdf"}, key="k1").problem(409, "idempotency_key_reused")


def test_a_fresh_address_for_an_upload_whose_address_expired(firm: Firm) -> None:
    upload = firm.start()
    target = firm.api.post(f"/uploads/{upload['id']}/sign", {}).expect(200).json["targets"][0]
    assert send(target, PDF).status == 200
    firm.api.post(f"/uploads/{upload['id']}/complete").expect(200)
    firm.api.post(f"/uploads/{upload['id']}/sign", {}).problem(409, "upload_over")


def test_an_expired_address_is_refused_by_the_store(firm: Firm) -> None:
    target = store(firm.world).put_target(f"{firm.id}/late", sha(PDF), datetime.now(UTC) - timedelta(seconds=70))
    assert browser.request("PUT", target.url, body=PDF, headers=target.headers).status == 403


def test_a_large_file_goes_in_parts_and_is_pending_until_the_worker_has_hashed_it(firm: Firm) -> None:
    size = upload_rules.SINGLE_PUT_MAX + 1
    data = bytes(range(256)) * (size // 256) + b"\x00" * (size % 256)
    upload = firm.start(data, name="video.bin")
    assert (upload["method"], upload["targets"]) == ("multipart", [])
    length = upload["part_size"]
    pieces = [data[i : i + length] for i in range(0, size, length)]
    assert upload["parts"] == len(pieces)

    wanted = [{"number": n, "sha256": sha(p)} for n, p in enumerate(pieces, 1)]
    targets = firm.api.post(f"/uploads/{upload['id']}/sign", {"parts": wanted}).expect(200).json["targets"]
    for target, piece in list(zip(targets, pieces, strict=True))[:-1]:
        assert send(target, piece).status == 200
    assert firm.api.get(f"/uploads/{upload['id']}").json["parts_received"] == list(range(1, len(pieces)))
    missing = firm.api.post(f"/uploads/{upload['id']}/complete").problem(409, "parts_missing").json
    assert missing["parts"] == [len(pieces)]
    assert send(targets[-1], b"x").status == 400  # its own hash is enforced too
    assert send(targets[-1], pieces[-1]).status == 200

    document = firm.api.post(f"/uploads/{upload['id']}/complete").expect(200).json
    assert document["status"] == "pending"
    firm.api.post(f"/documents/{document['id']}/downloads").problem(409, "document_not_stored")
    firm.world.run_due(firm.id)
    stored = firm.api.get(f"/documents/{document['id']}").json
    assert (stored["status"], stored["size"], stored["sha256"]) == ("stored", size, sha(data))


def test_a_form_post_leads_back_and_is_proven_by_the_worker(firm: Firm) -> None:
    back = firm.world.runtime.settings.public_url + "/portal/uploaded"
    upload = firm.start(size=1000, sha256=None, method="form", redirect_url=back, name="Bank statement")
    target = upload["targets"][0]
    assert send(target, b"x" * 1001).status == 400
    answer = send(target, PDF)
    assert answer.status == 303
    assert answer.headers["location"].startswith(back)
    document = firm.api.post(f"/uploads/{upload['id']}/complete").expect(200).json
    assert document["status"] == "pending"
    firm.world.run_due(firm.id)
    document = firm.api.get(f"/documents/{document['id']}").json
    assert (document["status"], document["size"], document["sha256"]) == ("stored", len(PDF), sha(PDF))
    assert document["name"] == "Bank statement.pdf"


def test_an_upload_nobody_completes_is_cleaned_on_both_sides(firm: Firm) -> None:
    upload = firm.start()
    send(upload["targets"][0], PDF)
    firm.world.run_due(firm.id, at=datetime.now(UTC) + timedelta(hours=2))
    assert firm.states(upload["document_id"])[-1] == ("refused", 0)
    assert store(firm.world).stat(f"{firm.id}/{upload['id']}") is None
    assert firm.api.get("/documents?status=pending").json["items"] == []


def test_the_sweep_removes_objects_no_record_knows_and_leaves_the_others(firm: Firm) -> None:
    document = firm.upload()
    orphan = f"{firm.id}/{new_id()}"
    store(firm.world).put(orphan, [PDF], len(PDF))
    firm.world.deliver(firm.id, FirmUpdated(firm_id=str(firm.id), version=1))
    (planned,) = [d for d in firm.world.due(firm.id) if d.kind == "sweep_store"]
    firm.world.run_due(firm.id, at=planned.run_at)
    assert store(firm.world).stat(orphan) is not None, "an object younger than a day may belong to an open transaction"

    with firm.world.uow(firm.id) as uow:
        uow.now += timedelta(days=2)
        uploads.sweep(uow)
    assert store(firm.world).stat(orphan) is None
    url = firm.api.post(f"/documents/{document['id']}/downloads").expect(201).json["url"]
    assert browser.request("GET", url).data == PDF
    assert [d.kind for d in firm.world.due(firm.id) if d.done_at is None] == ["sweep_store"]


def test_an_upload_can_be_given_up(firm: Firm) -> None:
    upload = firm.start()
    send(upload["targets"][0], PDF)
    assert firm.api.post(f"/uploads/{upload['id']}/abort").expect(200).json["status"] == "aborted"
    assert store(firm.world).stat(f"{firm.id}/{upload['id']}") is None
    firm.api.post(f"/uploads/{upload['id']}/complete").problem(409, "upload_over")


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"size": 0}, 400, "request_invalid"),
        ({"size": "12"}, 400, "request_invalid"),
        ({"sha256": "nonsense"}, 400, "request_invalid"),
        ({"owner": "me"}, 400, "request_invalid"),
        ({"client_id": "12"}, 400, "request_invalid"),
        ({"visibility": "everybody"}, 400, "request_invalid"),
        ({"sha256": None}, 422, "hash_missing"),
        ({"client_id": None}, 422, "field_missing"),
        ({"name": "../.."}, 422, "name_unusable"),
        ({"name": "\u202e\u0001"}, 422, "name_unusable"),
        ({"size": upload_rules.UPLOAD_MAX + 1}, 422, "too_large"),
        ({"method": "form", "redirect_url": "https://evil.example/x"}, 422, "redirect_foreign"),
    ],
)
def test_bad_uploads_are_refused_and_change_nothing(firm: Firm, change: dict, status: int, code: str) -> None:
    body = {"client_id": str(firm.client), "name": "a.pdf", "size": len(PDF), "sha256": sha(PDF), **change}
    firm.api.post("/uploads", {k: v for k, v in body.items() if v is not None}).problem(status, code)
    assert firm.world.events(firm.id) == []
    assert firm.world.audit(firm.id) == []


def test_a_client_nobody_knows_is_asked_for_once_and_kept(firm: Firm) -> None:
    known, strange = new_id(), new_id()

    def get_client(request: GetClientRequest) -> GetClientResponse:
        if request.client_id != str(known):
            raise NotFound("client_not_found", "There is no such client.")
        return GetClientResponse(client=ClientChanged(client_id=request.client_id, name="New", version=3))

    calls = firm.world.answers("clients", {"GetClient": get_client})
    firm.upload(client_id=str(known))
    firm.upload(client_id=str(known))
    assert len(calls) == 1
    firm.api.post("/uploads", {"client_id": str(strange), "name": "a", "size": 1, "sha256": sha(b"a")}).problem(
        404, "client_not_found"
    )


def test_a_job_of_another_client_is_refused(firm: Firm) -> None:
    other = firm.add_job(firm.add_client("Grace Hopper"))
    body = {"client_id": str(firm.client), "job_id": str(other), "name": "a.pdf", "size": 1, "sha256": sha(b"a")}
    firm.api.post("/uploads", body).problem(422, "job_of_another_client")
    firm.world.answers(
        "workflow",
        {
            "GetJob": lambda r: GetJobResponse(
                job=JobChanged(job_id=r.job_id, client_id=str(firm.client), title="T", version=1)
            )
        },
    )
    firm.api.post("/uploads", body | {"job_id": str(new_id())}).expect(201)


# Documents


def test_every_version_is_kept_and_an_older_one_restored_as_a_new_one(firm: Firm) -> None:
    document = firm.upload()
    newer = firm.upload(b"second", document_id=document["id"], client_id=None, name=None)
    assert (newer["id"], newer["current_version"], newer["sha256"]) == (document["id"], 2, sha(b"second"))
    assert newer["media_type"] == "text/plain"

    restored = firm.api.post(f"/documents/{document['id']}/versions/1/restore").expect(201).json
    assert (restored["current_version"], restored["sha256"]) == (3, sha(PDF))
    versions = firm.api.get(f"/documents/{document['id']}/versions").json["items"]
    assert [(v["number"], v["restored_from"]) for v in versions] == [(3, 1), (2, None), (1, None)]
    page = firm.api.get(f"/documents/{document['id']}/versions?limit=2").json
    rest = firm.api.get(f"/documents/{document['id']}/versions?limit=2&cursor={page['next_cursor']}").json
    assert [v["number"] for v in rest["items"]] == [1]
    assert rest["next_cursor"] is None
    url = firm.api.post(f"/documents/{document['id']}/downloads", {"number": 2}).expect(201).json["url"]
    assert browser.request("GET", url).data == b"second"
    firm.api.post(f"/documents/{document['id']}/versions/9/restore").problem(404, "version_not_found")


def test_versions_that_arrive_together_are_both_kept_in_some_order(firm: Firm) -> None:
    document = firm.upload()
    uploads_ = [firm.start(data, document_id=document["id"], client_id=None, name=None) for data in (b"one", b"two")]
    for upload, data in zip(uploads_, (b"one", b"two"), strict=True):
        assert send(upload["targets"][0], data).status == 200
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda u: firm.api.post(f"/uploads/{u['id']}/complete"), uploads_ * 2))
    assert [a.status for a in answers] == [200] * 4
    versions = firm.api.get(f"/documents/{document['id']}/versions").json["items"]
    assert [v["number"] for v in versions] == [3, 2, 1]
    assert {v["sha256"] for v in versions} == {sha(PDF), sha(b"one"), sha(b"two")}


def test_a_document_deleted_while_its_next_version_is_read_stays_deleted(firm: Firm) -> None:
    document = firm.upload()
    upload = firm.start(size=1000, sha256=None, method="form", document_id=document["id"], client_id=None, name=None)
    send(upload["targets"][0], PDF)
    firm.api.post(f"/uploads/{upload['id']}/complete").expect(200)
    firm.api.delete(f"/documents/{document['id']}", if_match=document["version"]).expect(204)
    firm.world.run_due(firm.id)
    assert firm.states(document["id"])[-1] == ("deleted", 1)
    assert store(firm.world).stat(f"{firm.id}/{upload['id']}") is None


def test_a_version_can_be_neither_changed_nor_removed_by_the_application(firm: Firm) -> None:
    document = firm.upload()
    for statement in ("UPDATE document_versions SET sha256 = 'x'", "DELETE FROM document_versions"):
        with pytest.raises(Exception, match="permission denied"), firm.world.uow(firm.id) as uow:
            uow.session.execute(text(statement))
    assert firm.api.get(f"/documents/{document['id']}").json["sha256"] == sha(PDF)


def test_a_new_version_leaves_name_and_client_to_the_document(firm: Firm) -> None:
    document = firm.upload()
    body = {"document_id": document["id"], "name": "other.pdf", "size": 1, "sha256": sha(b"a")}
    firm.api.post("/uploads", body).problem(422, "version_keeps_document")


def test_a_download_is_an_attachment_of_the_right_name_and_is_audited(firm: Firm) -> None:
    document = firm.upload(b"<html><script>alert(1)</script></html>", name='Bericht "Müller".html')
    answer = firm.api.post(f"/documents/{document['id']}/downloads").expect(201).json
    assert answer["expires_in"] <= 60
    assert document["media_type"] == "text/html"
    fetched = browser.request("GET", answer["url"])
    disposition = fetched.headers["content-disposition"]
    assert (
        disposition
        == "attachment; filename=\"Bericht _M_ller_.html\"; filename*=UTF-8''Bericht%20%22M%C3%BCller%22.html"
    )
    assert fetched.headers["content-type"] == "application/octet-stream"
    audited = [(a.action, a.actor) for a in firm.world.audit(firm.id) if a.subject_id == document["id"]]
    assert audited[-1] == ("document.downloaded", f"staff:{firm.staff}")


def test_rename_move_and_share_need_the_version_seen(firm: Firm) -> None:
    document = firm.upload()
    path, other = f"/documents/{document['id']}", firm.add_client("Grace Hopper")
    job = firm.add_job(other)
    firm.api.patch(path, {"name": "x"}).problem(428, "if_match_required")
    changed = firm.api.patch(
        path, {"name": "Statement\u202e.pdf ", "visibility": "client_view"}, if_match=document["version"]
    ).expect(200)
    assert (changed.json["name"], changed.json["visibility"]) == ("Statement.pdf", "client_view")
    firm.api.patch(path, {"name": "y"}, if_match=document["version"]).problem(412, "version_conflict")
    firm.api.patch(path, {"job_id": str(job)}, if_match=changed.etag).problem(422, "job_of_another_client")
    moved = firm.api.patch(path, {"client_id": str(other), "job_id": str(job)}, if_match=changed.etag).expect(200)
    assert (moved.json["client_name"], moved.json["job_title"]) == ("Grace Hopper", "VAT return")
    back = firm.api.patch(path, {"client_id": str(firm.client)}, if_match=moved.etag).expect(200)
    assert back.json["job_id"] is None
    firm.api.patch(path, {}, if_match=back.etag).problem(400, "request_invalid")
    last = firm.world.events(firm.id, DocumentChanged)[-1]
    assert (last.name, last.visibility, last.client_id, last.version) == (
        "Statement.pdf",
        "client_view",
        str(firm.client),
        back.json["version"],
    )


def test_a_deleted_document_is_gone_from_lists_while_the_store_keeps_its_bytes(firm: Firm) -> None:
    document = firm.upload()
    path = f"/documents/{document['id']}"
    firm.api.delete(path, if_match=document["version"]).expect(204)
    firm.api.get(path).problem(404, "document_not_found")
    firm.api.post(path + "/downloads").problem(404, "document_not_found")
    firm.api.patch(path, {"name": "x"}, if_match=1).problem(404, "document_not_found")
    assert firm.api.get("/documents").json["items"] == []
    assert [d["id"] for d in firm.api.get("/documents?status=deleted").json["items"]] == [document["id"]]
    assert firm.states(document["id"])[-1] == ("deleted", 1)
    assert len(list(store(firm.world).listing(f"{firm.id}/"))) == 1


def test_lists_page_by_keyset_in_both_orders(firm: Firm) -> None:
    made = [firm.upload(name=name)["id"] for name in ("b.pdf", "c.pdf", "a.pdf")]

    def walk(query: str) -> list[str]:
        found, cursor = [], None
        while True:
            page = (
                firm.api.get(f"/documents?limit=1&{query}" + (f"&cursor={cursor}" if cursor else "")).expect(200).json
            )
            found += [d["id"] for d in page["items"]]
            cursor = page["next_cursor"]
            if cursor is None:
                return found

    assert walk(f"client_id={firm.client}") == made[::-1]
    assert walk("sort=name") == [made[2], made[0], made[1]]
    firm.api.get("/documents?cursor=nonsense").problem(400, "cursor_invalid")
    csv = firm.api.get("/documents", headers={"accept": "text/csv"}).expect(200).response.text
    assert csv.count("\n") == 4
    assert "a.pdf" in csv


def test_search_finds_parts_typos_and_accents(firm: Firm) -> None:
    document = firm.upload(name="Jahresabschluß Müller 2026.pdf")
    firm.upload(name="100% sicher_.pdf")
    for words in ("abschluss", "MULLER", "jaresabschluss", "2026"):
        assert [d["id"] for d in firm.api.get("/search", params={"q": words}).expect(200).json["items"]] == [
            document["id"]
        ], words
    assert [d["name"] for d in firm.api.get("/search", params={"q": "00%"}).json["items"]] == ["100% sicher_.pdf"]
    for words in ("ja", "JA"):
        assert [d["id"] for d in firm.api.get("/search", params={"q": words}).json["items"]] == [document["id"]]
    for words in ("zz", "hr", "0%", "j%", "___"):
        assert firm.api.get("/search", params={"q": words}).json["items"] == []


# Who may see what


def test_another_firms_documents_are_not_found(firm: Firm) -> None:
    document = firm.upload()
    upload = firm.start()
    stranger = firm.world.api(firm.world.firm())
    for method, path in [("GET", ""), ("GET", "/versions"), ("POST", "/downloads"), ("POST", "/versions/1/restore")]:
        stranger.request(method, f"/documents/{document['id']}{path}").problem(404, "document_not_found")
    stranger.patch(f"/documents/{document['id']}", {"name": "x"}, if_match=1).problem(404, "document_not_found")
    stranger.delete(f"/documents/{document['id']}", if_match=1).problem(404, "document_not_found")
    for path in ("complete", "abort"):
        stranger.post(f"/uploads/{upload['id']}/{path}").problem(404, "upload_not_found")
    stranger.get(f"/uploads/{upload['id']}").problem(404, "upload_not_found")
    assert stranger.get("/documents").json["items"] == []
    assert stranger.get("/search?q=statement").json["items"] == []


def test_a_private_clients_documents_are_hidden_from_everyone_not_named(firm: Firm) -> None:
    private = firm.add_client("Hush Ltd", visible_to=[firm.staff])
    document = firm.upload(client_id=str(private), name="secret.pdf")
    upload = firm.start(client_id=str(private))
    colleague, partner = firm.world.api(firm.id), firm.world.api(firm.id, audience="partner")
    for api in (colleague, partner):
        assert api.get("/documents").json["items"] == []
        assert api.get(f"/documents?client_id={private}").json["items"] == []
        assert api.get("/search?q=secret").json["items"] == []
        api.get(f"/documents/{document['id']}").problem(404, "document_not_found")
        api.get(f"/documents/{document['id']}/versions").problem(404, "document_not_found")
        api.post(f"/documents/{document['id']}/downloads").problem(404, "document_not_found")
        api.patch(f"/documents/{document['id']}", {"name": "x"}, if_match=99).problem(404, "document_not_found")
        api.post(f"/uploads/{upload['id']}/complete").problem(404, "upload_not_found")
    assert [d["id"] for d in firm.api.get("/search?q=secret").json["items"]] == [document["id"]]


def test_each_operation_needs_its_permission_and_a_portal_token_opens_none(firm: Firm) -> None:
    document = firm.upload()
    reader = firm.world.api(firm.id, permissions=["documents:documents:read"])
    reader.get(f"/documents/{document['id']}").expect(200)
    reader.patch(f"/documents/{document['id']}", {"name": "x"}, if_match=1).problem(403, "permission_missing")
    reader.delete(f"/documents/{document['id']}", if_match=1).problem(403, "permission_missing")
    contact = firm.world.api(
        firm.id, audience="portal", clients=[firm.client], permissions=["portal:self", "documents:documents:read"]
    )
    contact.get("/documents").problem(403, "audience_not_allowed")
    firm.world.anonymous().get("/documents").problem(401, "token_missing")


# What other services ask


def generated(firm: Firm, data: bytes, reference: UUID, **more: object) -> list[pb.StoreGeneratedRequest]:
    facts = {
        "kind": "invoice",
        "client_id": str(firm.client),
        "name": "INV-000001.pdf",
        "media_type": "application/pdf",
        "visibility": "client_view",
        "sha256": sha(data),
        "size": len(data),
        "reference_id": str(reference),
        **more,
    }
    chunks = [pb.StoreGeneratedRequest(chunk=data[i : i + 10]) for i in range(0, len(data), 10)]
    return [pb.StoreGeneratedRequest(file=pb.GeneratedFile(**facts)), *chunks]


def test_a_generated_file_is_kept_once_for_its_reference(firm: Firm) -> None:
    billing, reference = firm.world.grpc(firm.id, caller="timebilling"), new_id()
    first = billing.call("StoreGenerated", iter(generated(firm, PDF, reference)), key="k").document
    assert (first.status, first.current_version, first.kind, first.name) == ("stored", 1, "invoice", "INV-000001.pdf")
    assert billing.call("StoreGenerated", iter(generated(firm, PDF, reference)), key="k").document == first
    assert billing.call("StoreGenerated", iter(generated(firm, PDF, reference)), key="other").document == first
    assert len(list(store(firm.world).listing(f"{firm.id}/"))) == 1
    second = billing.call("StoreGenerated", iter(generated(firm, PDF + b"2", reference)), key="k2").document
    assert (second.document_id, second.current_version) == (first.document_id, 2)
    firm.api.patch(f"/documents/{first.document_id}", {"name": "x"}, if_match=second.version).problem(
        409, "document_generated"
    )
    firm.api.delete(f"/documents/{first.document_id}", if_match=second.version).problem(409, "document_generated")


def test_the_portal_reads_what_clients_may_see_whole_and_nothing_else(firm: Firm) -> None:
    billing, portal = firm.world.grpc(firm.id, caller="timebilling"), firm.world.grpc(firm.id, caller="portal")
    shared = billing.call("StoreGenerated", iter(generated(firm, PDF, new_id())), key="s").document.document_id
    inside = billing.call("StoreGenerated", iter(generated(firm, PDF, new_id(), visibility="firm")), key="i").document
    found = portal.call("ReadContent", pb.ReadContentRequest(document_id=shared))
    assert (found.name, found.media_type, found.content) == ("INV-000001.pdf", "application/pdf", PDF)
    for id in (inside.document_id, str(new_id())):
        with pytest.raises(DomainError, match="document_not_found"):
            portal.call("ReadContent", pb.ReadContentRequest(document_id=id))
    with pytest.raises(DomainError, match="caller"):
        billing.call("ReadContent", pb.ReadContentRequest(document_id=shared))
    other = firm.world.grpc(firm.world.firm(), caller="portal")
    with pytest.raises(DomainError, match="document_not_found"):
        other.call("ReadContent", pb.ReadContentRequest(document_id=shared))


@pytest.mark.parametrize(
    ("more", "code"),
    [({"sha256": "0" * 64}, "hash_differs"), ({"size": 3}, "size_differs"), ({"size": 900}, "size_differs")],
)
def test_a_generated_file_that_differs_from_what_was_said_is_refused(firm: Firm, more: dict, code: str) -> None:
    billing = firm.world.grpc(firm.id, caller="timebilling")
    with pytest.raises(Exception, match=code):
        billing.call("StoreGenerated", iter(generated(firm, PDF, new_id(), **more)))
    assert firm.world.events(firm.id) == []
    assert list(store(firm.world).listing(f"{firm.id}/")) == []


def test_a_contact_uploads_for_the_clients_they_act_for_and_for_no_other(firm: Firm) -> None:
    other, contact = firm.add_client("Grace Hopper"), new_id()
    portal = firm.world.grpc(firm.id, caller="portal", user=firm.world.portal_token(firm.id, [firm.client], contact))
    request = {
        "client_id": str(firm.client),
        "name": "scan.pdf",
        "size": len(PDF),
        "sha256": sha(PDF),
        "request_id": str(new_id()),
    }
    started = portal.call("StartUpload", pb.StartUploadRequest(**request))
    assert send({"method": started.method, "url": started.url, "headers": dict(started.headers)}, PDF).status == 200
    ids = {"document_id": started.document_id, "upload_id": started.upload_id}

    colleague = firm.world.grpc(firm.id, caller="portal", user=firm.world.portal_token(firm.id, [firm.client]))
    with pytest.raises(NotFound, match="upload_not_found"):
        colleague.call("CompleteUpload", pb.CompleteUploadRequest(**ids))
    document = portal.call("CompleteUpload", pb.CompleteUploadRequest(**ids)).document
    assert (document.status, document.visibility, document.uploaded_by) == (
        "stored",
        "client_view",
        f"contact:{contact}",
    )
    assert document.request_id == request["request_id"]
    with pytest.raises(NotFound, match="client_not_found"):
        portal.call("StartUpload", pb.StartUploadRequest(**request | {"client_id": str(other)}))


def test_a_contact_fetches_what_is_shared_with_their_clients_only(firm: Firm) -> None:
    shared, internal = firm.upload(visibility="client_view"), firm.upload()
    foreign = firm.upload(visibility="client_view", client_id=str(firm.add_client("Grace Hopper")))
    portal = firm.world.grpc(firm.id, caller="portal", user=firm.world.portal_token(firm.id, [firm.client]))
    link = portal.call("CreateDownload", pb.CreateDownloadRequest(document_id=shared["id"]))
    assert browser.request("GET", link.url).data == PDF
    assert link.name == "statement.pdf"
    for hidden in (internal, foreign):
        with pytest.raises(NotFound, match="document_not_found"):
            portal.call("CreateDownload", pb.CreateDownloadRequest(document_id=hidden["id"]))


def test_only_the_named_services_may_ask(firm: Firm) -> None:
    token = firm.world.portal_token(firm.id, [firm.client])
    with pytest.raises(Exception, match="caller_not_allowed"):
        firm.world.grpc(firm.id, caller="workflow", user=token).call(
            "CreateDownload", pb.CreateDownloadRequest(document_id=str(new_id()))
        )
    with pytest.raises(Exception, match="permission_missing"):
        firm.world.grpc(firm.id, caller="portal").call(
            "CreateDownload", pb.CreateDownloadRequest(document_id=str(new_id()))
        )


# The firm's own pictures


PNG = b"\x89PNG\r\n\x1a\n" + bytes.fromhex(
    "0000000d49484452000000010000000108060000001f15c4890000000d49444154789c6360000002000001e221bc330000000049454e44ae426082"
)


def test_a_picture_is_kept_once_read_by_whom_it_is_for_and_left_by_the_sweep(firm: Firm) -> None:
    token = firm.world.keys.token(
        "staff", str(firm.staff), firm.id, name="Owner", permissions=["portal:branding:write"]
    )
    portal = firm.world.grpc(firm.id, caller="portal", user=token)
    asked = pb.KeepPictureRequest(media_type="image/png", content=PNG)
    kept = portal.call("KeepPicture", asked).picture_id
    assert portal.call("KeepPicture", asked).picture_id == kept
    with firm.world.uow(firm.id) as uow:
        uow.now += timedelta(days=2)
        uploads.sweep(uow)
        assert list(queries.broken_bytes(uow)) == []
    read = pb.ReadPictureRequest(picture_id=kept)
    for caller in ("portal", "timebilling"):
        found = firm.world.grpc(firm.id, caller=caller).call("ReadPicture", read)
        assert (found.media_type, found.content) == ("image/png", PNG)
    with pytest.raises(DomainError, match="picture_not_found"):
        firm.world.grpc(firm.world.firm(), caller="portal").call("ReadPicture", read)
    with pytest.raises(DomainError, match="permission_missing"):
        firm.world.grpc(firm.id, caller="portal").call("KeepPicture", asked)


@pytest.mark.parametrize(
    ("said", "content", "code"),
    [
        ("image/png", PDF, "picture_type_differs"),
        ("image/svg+xml", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "picture_type_differs"),
        ("image/png", PNG + bytes(1024 * 1024), "picture_too_large"),
    ],
)
def test_what_is_no_small_picture_is_not_kept(firm: Firm, said: str, content: bytes, code: str) -> None:
    token = firm.world.keys.token(
        "staff", str(firm.staff), firm.id, name="Owner", permissions=["portal:branding:write"]
    )
    with pytest.raises(DomainError, match=code):
        firm.world.grpc(firm.id, caller="portal", user=token).call(
            "KeepPicture", pb.KeepPictureRequest(media_type=said, content=content)
        )
    assert list(store(firm.world).listing(f"{firm.id}/")) == []


# Itself


def test_the_check_names_bytes_that_differ_and_bytes_that_are_missing(firm: Firm) -> None:
    whole, damaged, missing = firm.upload(), firm.upload(), firm.upload()
    with firm.world.uow(firm.id) as uow:
        assert list(queries.broken_bytes(uow)) == []
        versions = {
            str(r.document_id): r
            for r in uow.session.execute(text("SELECT document_id, key, store_version FROM document_versions"))
        }
        store(firm.world).remove(versions[missing["id"]].key)
        store(firm.world).remove(versions[damaged["id"]].key)
        _replaced, _ = store(firm.world).put(versions[damaged["id"]].key, [b"?" * len(PDF)], len(PDF))
        found = list(queries.broken_bytes(uow))
    assert len(found) == 2
    assert not any(whole["id"] in line for line in found)
    assert any(missing["id"] in line and "missing" in line for line in found)


def test_current_state_can_be_told_again(firm: Firm) -> None:
    document = firm.upload()
    with firm.world.uow(firm.id) as uow:
        states = list(queries.all_states(uow))
    assert [(str(id), version, event.status) for id, version, event in states] == [
        (document["id"], document["version"], "stored")
    ]


def test_copies_keep_the_newest_state_in_any_order(firm: Firm) -> None:
    document = firm.upload()
    for name, version in (("Newest", 5), ("Older", 3)):
        firm.world.deliver(firm.id, ClientChanged(client_id=str(firm.client), name=name, version=version))
    assert firm.api.get(f"/documents/{document['id']}").json["client_name"] == "Newest"
