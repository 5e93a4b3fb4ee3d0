"""Operations on uploads: parse, call, map."""

from typing import Any
from uuid import UUID

from chassis.errors import Invalid
from chassis.http import Reply, created
from chassis.uow import Uow
from documents.files import http as files
from documents.store import FORM_SECONDS, LINK_SECONDS, Target
from documents.uploads import usecases
from documents.uploads.tables import Upload

_OF_THE_DOCUMENT = ("client_id", "job_id", "request_id", "name", "visibility")


def start_upload(uow: Uow, body: dict[str, Any]) -> Reply:
    announced = usecases.Announced(
        size=body["size"],
        sha256=body.get("sha256"),
        form=body.get("method") == "form",
        redirect_url=body.get("redirect_url"),
    )
    if document_id := body.get("document_id"):
        _refuse_others(body)
        upload, targets = usecases.start_version(uow, announced, UUID(document_id))
    else:
        upload, targets = _start_document(uow, announced, body)
    return created(view(upload, targets), f"/uploads/{upload.id}")


def _refuse_others(body: dict[str, Any]) -> None:
    for field in _OF_THE_DOCUMENT:
        if body.get(field) is not None:
            raise Invalid(
                "version_keeps_document",
                "A new version keeps its document's name, client and visibility. Change those there.",
                pointer=f"/{field}",
            )


def _start_document(uow: Uow, announced: usecases.Announced, body: dict[str, Any]) -> tuple[Upload, list[Target]]:
    for field in ("client_id", "name"):
        if body.get(field) is None:
            raise Invalid("field_missing", f"A new document needs its {field}.", pointer=f"/{field}")
    return usecases.start_document(
        uow,
        announced,
        client_id=UUID(body["client_id"]),
        name=body["name"],
        visibility=body.get("visibility", "firm"),
        job_id=_id(body.get("job_id")),
        request_id=_id(body.get("request_id")),
    )


def get_upload(uow: Uow, upload_id: str) -> dict[str, Any]:
    return _state(uow, usecases.load(uow, UUID(upload_id)))


def sign_upload(uow: Uow, upload_id: str, body: dict[str, Any]) -> dict[str, Any]:
    return view(*usecases.sign(uow, UUID(upload_id), body.get("parts")))


def complete_upload(uow: Uow, upload_id: str) -> Reply:
    document = usecases.complete(uow, UUID(upload_id))
    return files.shown(uow, document.id)


def abort_upload(uow: Uow, upload_id: str) -> dict[str, Any]:
    return _state(uow, usecases.abort(uow, UUID(upload_id)))


def view(upload: Upload, targets: list[Target]) -> dict[str, Any]:
    return {
        "id": upload.id,
        "document_id": upload.document_id,
        "method": upload.method,
        "status": upload.status,
        "part_size": upload.part_size,
        "parts": upload.parts,
        "targets": [_target(t) for t in targets],
        "expires_in": FORM_SECONDS if upload.method == "form" else LINK_SECONDS,
    }


def _target(target: Target) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "method": target.method,
        "url": target.url,
        "headers": target.headers,
        "fields": target.fields,
    }
    return shown | ({"part": target.part} if target.part else {})


def _state(uow: Uow, upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "document_id": upload.document_id,
        "method": upload.method,
        "status": upload.status,
        "refusal": upload.refusal,
        "part_size": upload.part_size,
        "parts": upload.parts,
        "parts_received": usecases.received_parts(uow, upload),
    }


def _id(value: str | None) -> UUID | None:
    return UUID(value) if value else None
