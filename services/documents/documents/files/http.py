"""Operations on documents: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.http import NO_CONTENT, Reply, created
from chassis.uow import Uow
from documents.files import queries, usecases, views


def list_documents(
    uow: Uow,
    limit: int = 50,
    cursor: str | None = None,
    client_id: str | None = None,
    job_id: str | None = None,
    request_id: str | None = None,
    kind: str | None = None,
    status: str = "stored",
    sort: str = "-created_at",
) -> dict[str, Any]:
    page = queries.listed(
        uow,
        limit=limit,
        cursor=cursor,
        sort=sort,
        status=status,
        client_id=client_id,
        job_id=job_id,
        request_id=request_id,
        kind=kind,
    )
    return page | {"items": [views.document(row) for row in page["items"]]}


def get_document(uow: Uow, document_id: str) -> Reply:
    return shown(uow, UUID(document_id))


def change_document(uow: Uow, document_id: str, body: dict[str, Any]) -> Reply:
    usecases.change(uow, UUID(document_id), body, version=uow.if_match)
    return shown(uow, UUID(document_id))


def delete_document(uow: Uow, document_id: str) -> Reply:
    usecases.delete(uow, UUID(document_id), version=uow.if_match)
    return NO_CONTENT


def list_versions(uow: Uow, document_id: str, limit: int = 50, cursor: str | None = None) -> dict[str, Any]:
    page = queries.versions(uow, UUID(document_id), limit=limit, cursor=cursor)
    return page | {"items": [views.version(row) for row in page["items"]]}


def restore_version(uow: Uow, document_id: str, number: int) -> Reply:
    usecases.restore(uow, UUID(document_id), number)
    row = _row(uow, UUID(document_id))
    return created(views.document(row), f"/documents/{document_id}", etag=row.version)


def create_download(uow: Uow, document_id: str, body: dict[str, Any] | None = None) -> Reply:
    download = usecases.download(uow, UUID(document_id), (body or {}).get("number"))
    return Reply(views.download(download), status=201)


def search_documents(uow: Uow, q: str, limit: int = 20) -> dict[str, Any]:
    return {"items": [views.document(row) for row in queries.search(uow, q, limit)]}


def shown(uow: Uow, document_id: UUID) -> Reply:
    row = _row(uow, document_id)
    return Reply(views.document(row), etag=row.version)


def _row(uow: Uow, document_id: UUID) -> Any:
    uow.session.flush()
    return queries.one(uow, document_id)
