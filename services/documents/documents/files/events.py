"""A document's state as other services hear it."""

from chassis.uow import Uow
from documents.files.tables import Document
from praxis.documents.v1.events_pb2 import DocumentChanged


def state_of(document: Document) -> DocumentChanged:
    return DocumentChanged(
        document_id=str(document.id),
        client_id=str(document.client_id),
        job_id=str(document.job_id or ""),
        request_id=str(document.request_id or ""),
        name=document.name,
        kind=document.kind,
        visibility=document.visibility,
        status=document.status,
        current_version=document.current_version,
        size=document.size or 0,
        sha256=document.sha256 or "",
        media_type=document.media_type or "",
        uploaded_by=document.uploaded_by,
        version=document.version,
    )


def announce(uow: Uow, document: Document) -> None:
    """Tells everybody the document's state; written first, so that its version has been counted."""
    uow.session.flush()
    uow.announce(state_of(document), subject=document.id, version=document.version)
