"""Reads of documents. Every one of them joins `client_copy`, whose policy hides private clients."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow, lost_update
from documents.copies.tables import ClientCopy
from documents.files.events import state_of
from documents.files.rules import VISIBLE_TO_CLIENT, folded
from documents.files.tables import Document, DocumentVersion
from documents.store import store_of
from praxis.documents.v1.events_pb2 import DocumentChanged

_COLUMNS = """
    d.id, d.client_id, c.name AS client_name, d.job_id, j.title AS job_title, d.request_id, d.reference_id, d.name, d.kind,
    d.visibility, d.status, d.current_version, d.size, d.sha256, d.media_type, d.uploaded_by, d.uploaded_by_name,
    d.created_at, d.changed_at, d.version"""
_FROM = """
    FROM documents d
    JOIN client_copy c ON c.firm_id = d.firm_id AND c.id = d.client_id
    LEFT JOIN job_copy j ON j.firm_id = d.firm_id AND j.id = d.job_id"""
_FILTERS = {"client_id": "uuid", "job_id": "uuid", "request_id": "uuid", "kind": "text"}


def load(uow: Uow, document_id: UUID, *, lock: bool = False, version: int | None = None) -> Document:
    """The document if the caller may see it. Errors: `document_not_found`, `version_conflict`.

    Staff see what isn't a hidden client's; a contact what is shared with the clients they act for, once it is stored.
    """
    statement = select(Document).join(
        ClientCopy, (ClientCopy.firm_id == Document.firm_id) & (ClientCopy.id == Document.client_id)
    )
    statement = statement.where(
        Document.firm_id == uow.firm_id, Document.id == document_id, Document.status != "deleted"
    )
    if uow.principal.kind == "portal":
        statement = statement.where(
            Document.client_id.in_(uow.principal.client_ids), Document.visibility.in_(VISIBLE_TO_CLIENT)
        )
    if lock:
        statement = statement.with_for_update(of=Document).execution_options(populate_existing=True)
    document = uow.session.scalars(statement).one_or_none()
    if document is None:
        raise NotFound("document_not_found", "There is no such document.")
    if version is not None and document.version != version:
        raise lost_update(document.version)
    return document


def version_of(uow: Uow, document: Document, number: int) -> DocumentVersion:
    """One of its versions. Errors: `version_not_found`."""
    found = uow.session.scalars(
        select(DocumentVersion).where(
            DocumentVersion.firm_id == uow.firm_id,
            DocumentVersion.document_id == document.id,
            DocumentVersion.number == number,
        )
    ).one_or_none()
    if found is None:
        raise NotFound("version_not_found", f"This document has no version {number}.")
    return found


def one(uow: Uow, document_id: UUID) -> Row[Any]:
    """A document as the API shows it. Errors: `document_not_found`."""
    statement = f"SELECT {_COLUMNS} {_FROM} WHERE d.firm_id = :firm AND d.id = :id AND d.status <> 'deleted'"
    row = uow.session.execute(text(statement), {"firm": uow.firm_id, "id": document_id}).first()
    if row is None:
        raise NotFound("document_not_found", "There is no such document.")
    return row


def listed(
    uow: Uow, *, limit: int, cursor: str | None, sort: str, status: str, **filters: str | None
) -> dict[str, Any]:
    """A page of documents."""
    newest = sort == "-created_at"
    columns = ["d.id"] if newest else ["d.name", "d.id"]
    after, parameters = paging.keyset(columns, cursor, descending=newest)
    chosen = {k: v for k, v in filters.items() if v is not None}
    where = " ".join(f"AND d.{k} = CAST(:{k} AS {_FILTERS[k]})" for k in chosen)
    order = "d.id DESC" if newest else "d.name, d.id"
    statement = f"SELECT {_COLUMNS} {_FROM} WHERE d.firm_id = :firm AND d.status = :status {where} {after} ORDER BY {order} LIMIT :most"
    rows = uow.session.execute(
        text(statement), {"firm": uow.firm_id, "status": status, "most": limit + 1, **chosen, **parameters}
    ).all()
    return paging.page(rows, limit, lambda r: [r.id] if newest else [r.name, r.id])


def versions(uow: Uow, document_id: UUID, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """A page of a document's versions, newest first. Errors: `document_not_found`."""
    load(uow, document_id)
    after, parameters = paging.keyset(["number"], cursor, descending=True, casts=["int"])
    statement = f"""
        SELECT number, size, sha256, media_type, uploaded_by, uploaded_by_name, created_at, restored_from
        FROM document_versions WHERE firm_id = :firm AND document_id = :id {after} ORDER BY number DESC LIMIT :most"""
    rows = uow.session.execute(
        text(statement), {"firm": uow.firm_id, "id": document_id, "most": limit + 1, **parameters}
    ).all()
    return paging.page(rows, limit, lambda r: [r.number])


def search(uow: Uow, words: str, limit: int) -> list[Row[Any]]:
    """Documents by name, best first. The function finds ids by index; the policies have the last word."""
    statement = f"""
        SELECT {_COLUMNS} FROM documents_by_name(:words, :most) WITH ORDINALITY AS hit(id, place)
        JOIN documents d ON d.firm_id = :firm AND d.id = hit.id AND d.status = 'stored'
        JOIN client_copy c ON c.firm_id = d.firm_id AND c.id = d.client_id
        LEFT JOIN job_copy j ON j.firm_id = d.firm_id AND j.id = d.job_id
        ORDER BY hit.place"""
    return list(
        uow.session.execute(text(statement), {"firm": uow.firm_id, "words": folded(words), "most": limit}).all()
    )


def all_states(uow: Uow) -> Iterator[tuple[UUID, int, DocumentChanged]]:
    """Every document's current state, to be announced again."""
    for document in uow.session.scalars(
        select(Document).where(Document.firm_id == uow.firm_id).order_by(Document.id)
    ).yield_per(500):
        yield document.id, document.version, state_of(document)


def broken_bytes(uow: Uow) -> Iterator[str]:
    """Invariant: the bytes of every version and picture are in the store and have its hash. Yields what is wrong, a line each."""
    statement = """
        (SELECT DISTINCT ON (key, store_version) document_id, number, key, store_version, size, sha256
         FROM document_versions WHERE firm_id = :firm ORDER BY key, store_version, number)
        UNION ALL SELECT id, NULL, key, store_version, size, sha256 FROM pictures WHERE firm_id = :firm"""
    store = store_of(uow.runtime.settings)
    for row in uow.session.execute(text(statement), {"firm": uow.firm_id}).all():
        found = store.digest(row.key, row.store_version, beat=lambda: uow.session.execute(text("SELECT 1")))
        where = f"document {row.document_id} version {row.number}" if row.number else f"picture {row.document_id}"
        if found is None:
            yield f"{where}: its object is missing"
        elif (found.size, found.sha256) != (row.size, row.sha256):
            yield f"{where}: its bytes differ from its hash"
