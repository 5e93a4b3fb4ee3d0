"""The way of a file into the house: announced, sent to the store by the browser, proven, kept."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any
from uuid import UUID

from sqlalchemy import select, text

from chassis.db import new_id
from chassis.errors import Conflict, Forbidden, Invalid, NotFound
from chassis.uow import Uow
from documents.copies.usecases import client as known_client
from documents.copies.usecases import job as known_job
from documents.files import queries
from documents.files.events import announce
from documents.files.rules import clean_name, ensure_changeable, ensure_same_client, folded, with_ending
from documents.files.tables import Document
from documents.files.usecases import add_version
from documents.media import media_type
from documents.store import Digest, Store, Stored, Target, store_of
from documents.uploads import rules
from documents.uploads.tables import Upload

ORPHAN_AGE = timedelta(days=1)  # younger objects may belong to a transaction that has not committed yet


@dataclass(frozen=True, slots=True)
class Announced:
    """What somebody is about to send."""

    size: int
    sha256: str | None
    form: bool = False
    redirect_url: str | None = None


def start_document(
    uow: Uow,
    announced: Announced,
    *,
    client_id: UUID,
    name: str,
    visibility: str,
    job_id: UUID | None = None,
    request_id: UUID | None = None,
) -> tuple[Upload, list[Target]]:
    """A new document, pending until its bytes are proven, and where to send them.

    Errors: `client_not_found`, `job_not_found`, `job_of_another_client`, `name_unusable`, `too_large`, `hash_missing`,
    `redirect_foreign`.
    """
    client_id = known_client(uow, client_id).id
    if job_id:
        ensure_same_client(known_job(uow, job_id).client_id, client_id)
    cleaned = clean_name(name)
    document = Document(
        client_id=client_id,
        job_id=job_id,
        request_id=request_id,
        reference_id=None,
        name=cleaned,
        name_folded=folded(cleaned),
        kind="upload",
        visibility=visibility,
        status="pending",
        current_version=0,
        uploaded_by=uow.principal.actor,
        uploaded_by_name=uow.principal.name,
        created_at=uow.now,
        changed_at=uow.now,
    )
    uow.add(document)
    upload, targets = _start(uow, document, announced)
    announce(uow, document)
    return upload, targets


def start_version(uow: Uow, announced: Announced, document_id: UUID) -> tuple[Upload, list[Target]]:
    """The next version of a document; nothing about it changes until the bytes are proven. Errors: `document_not_found`, as above."""
    document = queries.load(uow, document_id)
    ensure_changeable(document.kind, document.status)
    if uow.principal.kind == "portal" and document.visibility != "client_edit":
        raise Forbidden("document_read_only", "The firm shares this document for reading only.")
    return _start(uow, document, announced)


def _start(uow: Uow, document: Document, announced: Announced) -> tuple[Upload, list[Target]]:
    way = rules.plan(announced.size, announced.sha256, form=announced.form)
    if announced.redirect_url:
        rules.ensure_own_origin(announced.redirect_url, uow.runtime.settings.public_url)
    id = new_id()
    upload = Upload(
        id=id,
        document_id=document.id,
        method=way.method,
        status="started",
        key=f"{uow.firm_id}/{id}",
        size=announced.size,
        sha256=announced.sha256,
        part_size=way.part_size,
        parts=way.parts,
        redirect_url=announced.redirect_url,
        uploaded_by=uow.principal.actor,
        uploaded_by_name=uow.principal.name,
        created_at=uow.now,
    )
    if way.method == "multipart":
        upload.store_upload = _store(uow).start_multipart(upload.key)
    uow.add(upload)
    uow.later("expire_upload", id, at=uow.now + rules.PATIENCE[way.method], upload_id=str(id))
    uow.audit(
        "upload.started",
        "document",
        document.id,
        after={"upload_id": str(id), "name": document.name, "size": announced.size},
    )
    return upload, [] if way.method == "multipart" else [_target(uow, upload)]


def sign(uow: Uow, upload_id: UUID, parts: list[dict[str, Any]] | None) -> tuple[Upload, list[Target]]:
    """Fresh addresses: of the one request, or of the parts asked for. Errors: `upload_not_found`, `upload_over`, `part_unknown`."""
    upload = load(uow, upload_id)
    rules.ensure_going_on(upload.status)
    if (upload.method == "multipart") != bool(parts):
        raise Invalid("parts_mismatch", "Name parts for a multipart upload, and only for one.", pointer="/parts")
    if not parts:
        return upload, [_target(uow, upload)]
    for part in parts:
        rules.ensure_part(part["number"], upload.parts)
    store = _store(uow)
    return upload, [
        store.part_target(upload.key, upload.store_upload or "", p["number"], p["sha256"], uow.now) for p in parts
    ]


def _target(uow: Uow, upload: Upload) -> Target:
    if upload.method == "form":
        return _store(uow).form_target(upload.key, upload.size, upload.redirect_url, uow.now)
    return _store(uow).put_target(upload.key, upload.sha256 or "", uow.now)


def load(uow: Uow, upload_id: UUID, *, lock: bool = False) -> Upload:
    """The upload, if the caller may see its document and, being a contact, started it. Errors: `upload_not_found`."""
    try:
        upload = uow.get(Upload, upload_id, lock=lock)
        if uow.principal.kind == "portal" and upload.uploaded_by != uow.principal.actor:
            raise NotFound("upload_not_found", "")
        queries.load(uow, upload.document_id)
    except NotFound as error:
        raise NotFound("upload_not_found", "There is no such upload.") from error
    return upload


def complete(uow: Uow, upload_id: UUID) -> Document:
    """The sender says the bytes are there. What the store has proven is kept at once; the rest the worker reads and hashes.

    Called again it answers the same document. Errors: `upload_not_found`, `upload_over`, `upload_not_received`,
    `parts_missing`, `size_differs`, `hash_differs`; bytes that differ are removed from the store.
    """
    upload = load(uow, upload_id, lock=True)
    document = queries.load(uow, upload.document_id, lock=True)
    if upload.status in ("stored", "proving"):
        return document
    rules.ensure_going_on(upload.status)
    if upload.method == "multipart":
        _join_parts(uow, upload)
    found = _store(uow).stat(upload.key)
    if found is None:
        raise Conflict("upload_not_received", "The store has not received the file. Send it, then complete again.")
    _ensure_announced(uow, upload, found)
    if upload.method == "put" and found.sha256:
        _keep(
            uow, upload, document, found, Digest(found.size, found.sha256, _store(uow).head(upload.key, found.version))
        )
    else:
        upload.status = "proving"
        uow.later("prove_upload", upload.id, upload_id=str(upload.id))
    return document


def _join_parts(uow: Uow, upload: Upload) -> None:
    """Has the store make one object of the parts, unless an interrupted completion has done so already."""
    assert upload.store_upload
    assert upload.part_size
    assert upload.parts
    received = _store(uow).parts(upload.key, upload.store_upload)
    if received is None:
        return
    sizes = {number: part.size or 0 for number, part in received.items()}
    if sizes or _store(uow).stat(upload.key) is None:
        missing = rules.missing_parts(sizes, size=upload.size, part_size=upload.part_size, parts=upload.parts)
        if missing:
            raise Conflict(
                "parts_missing",
                f"{len(missing)} parts have not arrived. Send them, then complete again.",
                parts=missing[:100],
            )
        _store(uow).finish_multipart(upload.key, upload.store_upload, received.values())


def _ensure_announced(uow: Uow, upload: Upload, found: Stored) -> None:
    size = None if upload.method == "form" else upload.size
    reason = rules.refusal(size=size, sha256=upload.sha256, found_size=found.size, found_sha256=found.sha256)
    if reason and upload.method == "put":
        # Nothing is recorded: the same upload may be sent again, rightly, until it expires.
        _store(uow).remove(upload.key)
        raise Invalid(reason, "What arrived is not the file that was announced. It was removed; send it again.")


def prove(uow: Uow, *, upload_id: str) -> None:
    """The worker's part: reads the object to its end and keeps it, or refuses and removes it."""
    upload = uow.get(Upload, upload_id, lock=True)
    if upload.status != "proving":
        return
    document = uow.get(Document, upload.document_id, lock=True)
    found = _store(uow).stat(upload.key)
    # A long read would look like an idle transaction to the database: say something now and then.
    digest = (
        _store(uow).digest(upload.key, found.version, beat=lambda: uow.session.execute(text("SELECT 1")))
        if found
        else None
    )
    if found is None or digest is None:
        _refuse(uow, upload, document, "never_received")
        return
    if document.status == "deleted":
        _refuse(uow, upload, document, "document_deleted")
        return
    size = None if upload.method == "form" else upload.size
    reason = rules.refusal(size=size, sha256=upload.sha256, found_size=digest.size, found_sha256=digest.sha256)
    if reason:
        _refuse(uow, upload, document, reason)
    else:
        _keep(uow, upload, document, found, digest)


def _keep(uow: Uow, upload: Upload, document: Document, found: Stored, digest: Digest) -> None:
    upload.status = "stored"
    found_type = media_type(digest.head)
    if upload.method == "form" and document.current_version == 0:
        # A form is signed before its file is chosen: it names what is asked for, and the bytes tell the ending.
        document.name = with_ending(document.name, found_type)
        document.name_folded = folded(document.name)
    add_version(
        uow,
        document,
        key=upload.key,
        store_version=found.version,
        size=digest.size,
        sha256=digest.sha256,
        media_type=found_type,
        uploaded_by=upload.uploaded_by,
        uploaded_by_name=upload.uploaded_by_name,
    )
    uow.cancel("expire_upload", upload.id)
    uow.audit(
        "document.stored",
        "document",
        document.id,
        after={"version": document.current_version, "sha256": digest.sha256, "size": digest.size},
    )


def _refuse(uow: Uow, upload: Upload, document: Document, reason: str, status: str = "refused") -> None:
    """Ends an upload without effect; a document that never had a version is refused with it."""
    upload.status, upload.refusal = status, reason
    if document.current_version == 0 and document.status == "pending":
        document.status, document.changed_at = "refused", uow.now
        announce(uow, document)
    _discard(uow, upload)
    uow.audit("upload.refused", "document", document.id, reason=reason, after={"upload_id": str(upload.id)})


def _discard(uow: Uow, upload: Upload) -> None:
    if upload.store_upload:
        _store(uow).abort_multipart(upload.key, upload.store_upload)
    _store(uow).remove(upload.key)


def abort(uow: Uow, upload_id: UUID) -> Upload:
    """Its sender gives it up. Errors: `upload_not_found`, `upload_over`."""
    upload = load(uow, upload_id, lock=True)
    rules.ensure_going_on(upload.status)
    _refuse(uow, upload, queries.load(uow, upload.document_id, lock=True), "given_up", status="aborted")
    uow.cancel("expire_upload", upload.id)
    return upload


def expire(uow: Uow, *, upload_id: str) -> None:
    """An upload nobody completed in time: the record's side of the orphan sweep."""
    upload = uow.get(Upload, upload_id, lock=True)
    if upload.status == "started":
        _refuse(uow, upload, uow.get(Document, upload.document_id, lock=True), "never_completed")


def received_parts(uow: Uow, upload: Upload) -> list[int]:
    """Numbers of the parts that the store has, for resuming."""
    if upload.status != "started" or not upload.store_upload:
        return []
    return sorted(_store(uow).parts(upload.key, upload.store_upload) or {})


def sweep(uow: Uow) -> None:
    """The store's side of the orphan sweep: removes a firm's objects that no record knows, and plans itself again."""
    store, prefix, old = _store(uow), f"{uow.firm_id}/", uow.now - ORPHAN_AGE
    for batch in _batches((o for o in store.listing(prefix) if o.modified < old), 500):
        kept = _kept(uow, [o.key for o in batch])
        for orphan in batch:
            if (orphan.key, orphan.version) not in kept and (orphan.key, None) not in kept:
                store.remove(orphan.key, orphan.version)
    for key, store_upload, began in store.list_multiparts(prefix):
        if began < old and (key, None) not in _kept(uow, [key]):
            store.abort_multipart(key, store_upload)
    uow.later("sweep_store", "daily", at=uow.now + timedelta(days=1))


def _kept(uow: Uow, keys: list[str]) -> set[tuple[str, str | None]]:
    """(key, version) of stored versions and pictures, (key, None) of uploads under way."""
    statement = text(
        "SELECT key, store_version FROM document_versions WHERE firm_id = :firm AND key = ANY(:keys) "
        "UNION ALL SELECT key, store_version FROM pictures WHERE firm_id = :firm AND key = ANY(:keys) "
        "UNION ALL SELECT key, NULL FROM uploads WHERE firm_id = :firm AND key = ANY(:keys) AND status IN ('started', 'proving')"
    )
    return {(row.key, row.store_version) for row in uow.session.execute(statement, {"firm": uow.firm_id, "keys": keys})}


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(islice(iterator, size)):
        yield batch


def store_generated(
    uow: Uow,
    chunks: Iterable[bytes],
    *,
    kind: str,
    client_id: UUID,
    job_id: UUID | None,
    reference_id: UUID,
    name: str,
    visibility: str,
    size: int,
    sha256: str,
) -> Document:
    """Keeps a file that another service has made. The same bytes for the same reference are kept once; other bytes are its next version.

    Errors: `client_not_found`, `too_large`, `size_differs`, `hash_differs`; nothing is kept then.
    """
    client_id = known_client(uow, client_id).id
    uow.session.execute(
        text("SELECT pg_advisory_xact_lock(hashtextextended(:reference, 0))"), {"reference": f"{kind}:{reference_id}"}
    )
    document = uow.session.scalars(
        select(Document)
        .where(Document.firm_id == uow.firm_id, Document.kind == kind, Document.reference_id == reference_id)
        .with_for_update()
    ).one_or_none()
    if document and document.sha256 == sha256:
        return document
    key = f"{uow.firm_id}/{new_id()}"
    store_version, digest = _put_exactly(_store(uow), key, chunks, size, sha256)
    if document is None:
        cleaned = clean_name(name)
        document = uow.add(
            Document(
                client_id=client_id,
                job_id=job_id,
                request_id=None,
                reference_id=reference_id,
                name=cleaned,
                name_folded=folded(cleaned),
                kind=kind,
                visibility=visibility,
                status="pending",
                current_version=0,
                uploaded_by=uow.principal.actor,
                uploaded_by_name=uow.principal.name,
                created_at=uow.now,
                changed_at=uow.now,
            )
        )
    add_version(
        uow,
        document,
        key=key,
        store_version=store_version,
        size=digest.size,
        sha256=digest.sha256,
        media_type=media_type(digest.head),
        uploaded_by=uow.principal.actor,
        uploaded_by_name=uow.principal.name,
    )
    uow.audit(
        "document.generated", "document", document.id, after={"reference_id": str(reference_id), "sha256": sha256}
    )
    return document


def _put_exactly(store: Store, key: str, chunks: Iterable[bytes], size: int, sha256: str) -> tuple[str | None, Digest]:
    if size > rules.FORM_MAX:
        raise Invalid("too_large", f"A generated file may have at most {rules.FORM_MAX // rules.MIB} MB.")
    iterator = iter(chunks)
    try:
        version, digest = store.put(key, iterator, size)
    except EOFError as error:
        raise Invalid("size_differs", "Fewer bytes came than were announced. Nothing was kept.") from error
    more = next(iterator, b"") != b""
    reason = rules.refusal(size=size + more, sha256=sha256, found_size=digest.size, found_sha256=digest.sha256)
    if reason:
        store.remove(key)
        raise Invalid(reason, "The bytes are not those that were announced. Nothing was kept.")
    return version, digest


def _store(uow: Uow) -> Store:
    return store_of(uow.runtime.settings)
