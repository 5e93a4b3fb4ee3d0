"""Rows as the API shows them."""

from typing import Any

from documents.files.usecases import Download


def actor(actor: str, name: str) -> dict[str, str]:
    kind, _, id = actor.partition(":")
    return {"kind": kind, "id": id, "name": name}


def document(row: Any) -> dict[str, Any]:
    return {
        "id": row.id,
        "client_id": row.client_id,
        "client_name": row.client_name,
        "job_id": row.job_id,
        "job_title": row.job_title,
        "request_id": row.request_id,
        "reference_id": row.reference_id,
        "name": row.name,
        "kind": row.kind,
        "visibility": row.visibility,
        "status": row.status,
        "current_version": row.current_version,
        "size": row.size,
        "sha256": row.sha256,
        "media_type": row.media_type,
        "uploaded_by": actor(row.uploaded_by, row.uploaded_by_name),
        "created_at": row.created_at,
        "changed_at": row.changed_at,
        "version": row.version,
    }


def version(row: Any) -> dict[str, Any]:
    return {
        "number": row.number,
        "size": row.size,
        "sha256": row.sha256,
        "media_type": row.media_type,
        "uploaded_by": actor(row.uploaded_by, row.uploaded_by_name),
        "created_at": row.created_at,
        "restored_from": row.restored_from,
    }


def download(download: Download) -> dict[str, Any]:
    return {
        "url": download.url,
        "name": download.name,
        "size": download.size,
        "media_type": download.media_type,
        "expires_in": download.expires_in,
    }
