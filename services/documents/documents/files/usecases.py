"""What can be done with a document that is there."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from chassis.errors import Invalid, NotFound
from chassis.uow import Uow
from documents.copies.usecases import client as known_client
from documents.copies.usecases import job as known_job
from documents.files import queries, rules
from documents.files.events import announce
from documents.files.tables import Document, DocumentVersion
from documents.store import LINK_SECONDS, store_of


@dataclass(frozen=True, slots=True)
class Download:
    """A signed address of one version, good for `expires_in` seconds."""

    url: str
    name: str
    size: int
    media_type: str
    expires_in: int = LINK_SECONDS


def change(uow: Uow, document_id: UUID, wish: dict[str, Any], *, version: int | None) -> Document:
    """Renames, moves or shares a document.

    Errors: `document_not_found`, `version_conflict`, `document_generated`, `document_not_stored`, `name_unusable`,
    `client_not_found`, `job_not_found`, `job_of_another_client`.
    """
    document = queries.load(uow, document_id, lock=True, version=version)
    rules.ensure_changeable(document.kind, document.status)
    before = _facts(document)
    if "name" in wish:
        document.name = rules.clean_name(wish["name"])
        document.name_folded = rules.folded(document.name)
    if "visibility" in wish:
        document.visibility = wish["visibility"]
    if "client_id" in wish or "job_id" in wish:
        _move(uow, document, wish)
    after = _facts(document)
    if after != before:
        document.changed_at = uow.now
        announce(uow, document)
        uow.audit("document.changed", "document", document.id, before=before, after=after)
    return document


def _move(uow: Uow, document: Document, wish: dict[str, Any]) -> None:
    client_id = UUID(wish["client_id"]) if "client_id" in wish else document.client_id
    stays = client_id == document.client_id
    kept = str(document.job_id) if stays and document.job_id else None
    job_id = wish.get("job_id", kept)
    client_id = known_client(uow, client_id).id
    if job_id:
        rules.ensure_same_client(known_job(uow, UUID(job_id)).client_id, client_id)
    document.client_id, document.job_id = client_id, UUID(job_id) if job_id else None


def _facts(document: Document) -> dict[str, Any]:
    return {
        "name": document.name,
        "visibility": document.visibility,
        "client_id": str(document.client_id),
        "job_id": str(document.job_id) if document.job_id else None,
    }


def restore(uow: Uow, document_id: UUID, number: int) -> Document:
    """An older version's bytes as a new version. Errors: `document_not_found`, `version_not_found`, as `change`."""
    document = queries.load(uow, document_id, lock=True)
    rules.ensure_changeable(document.kind, document.status)
    old = queries.version_of(uow, document, number)
    add_version(
        uow,
        document,
        key=old.key,
        store_version=old.store_version,
        size=old.size,
        sha256=old.sha256,
        media_type=old.media_type,
        uploaded_by=uow.principal.actor,
        uploaded_by_name=uow.principal.name,
        restored_from=number,
    )
    uow.audit("document.restored", "document", document.id, after={"from": number, "version": document.current_version})
    return document


def add_version(
    uow: Uow,
    document: Document,
    *,
    key: str,
    store_version: str | None,
    size: int,
    sha256: str,
    media_type: str,
    uploaded_by: str,
    uploaded_by_name: str,
    restored_from: int | None = None,
) -> None:
    """Makes proven bytes the current version of a locked document, and tells everybody."""
    document.current_version += 1
    document.status, document.changed_at = "stored", uow.now
    document.size, document.sha256, document.media_type = size, sha256, media_type
    uow.session.add(
        DocumentVersion(
            document_id=document.id,
            number=document.current_version,
            key=key,
            store_version=store_version,
            size=size,
            sha256=sha256,
            media_type=media_type,
            uploaded_by=uploaded_by,
            uploaded_by_name=uploaded_by_name,
            created_at=uow.now,
            restored_from=restored_from,
        )
    )
    announce(uow, document)


def delete(uow: Uow, document_id: UUID, *, version: int | None) -> None:
    """Takes a document out of every list. Its versions stay in the locked store. Errors: as `change`."""
    document = queries.load(uow, document_id, lock=True, version=version)
    rules.ensure_changeable(document.kind, document.status)
    document.status, document.changed_at = "deleted", uow.now
    announce(uow, document)
    uow.audit("document.deleted", "document", document.id, before=_facts(document))


@dataclass(frozen=True, slots=True)
class Content:
    """A file, whole."""

    name: str
    media_type: str
    content: bytes


MAILABLE = 3 * 1024 * 1024


def content(uow: Uow, document_id: UUID) -> Content:
    """The current version's bytes, of a small file that its client may see; audited.

    Errors: `document_not_found` (also where clients may not see it), `document_not_stored`, `file_too_large` (422).
    """
    document = queries.load(uow, document_id)
    if document.visibility not in rules.VISIBLE_TO_CLIENT:
        raise NotFound("document_not_found", "There is no such document.")
    rules.ensure_received(document.current_version)
    wanted = queries.version_of(uow, document, document.current_version)
    if wanted.size > MAILABLE:
        raise Invalid("file_too_large", f"A file of {wanted.size} bytes is not mailed.")
    found = store_of(uow.runtime.settings).read(wanted.key, wanted.store_version)
    uow.audit("document.mailed", "document", document.id, after={"number": wanted.number})
    return Content(document.name, rules.served_type(wanted.media_type), found)


def download(uow: Uow, document_id: UUID, number: int | None = None) -> Download:
    """An address that fetches a version (the current one by default); audited.

    Errors: `document_not_found`, `document_not_stored`, `version_not_found`.
    """
    document = queries.load(uow, document_id)
    rules.ensure_received(document.current_version)
    wanted = queries.version_of(uow, document, number or document.current_version)
    url = store_of(uow.runtime.settings).download_url(
        wanted.key,
        wanted.store_version,
        disposition=rules.content_disposition(document.name),
        media_type=rules.served_type(wanted.media_type),
        at=uow.now,
    )
    uow.audit("document.downloaded", "document", document.id, after={"number": wanted.number})
    return Download(url, document.name, wanted.size, wanted.media_type)
