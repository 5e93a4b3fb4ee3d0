"""What other services ask documents."""

from collections.abc import Iterator
from uuid import UUID

from chassis.copies import uuid_or_none
from chassis.errors import BadRequest, NotFound
from chassis.uow import Uow
from documents.files import usecases as files
from documents.files.events import state_of
from documents.pictures import usecases as pictures
from documents.uploads import usecases as uploads
from documents.uploads.rules import SINGLE_PUT_MAX
from praxis.documents.v1 import documents_pb2 as pb


def store_generated(uow: Uow, requests: Iterator[pb.StoreGeneratedRequest]) -> pb.StoreGeneratedResponse:
    first = next(requests, None)
    if first is None or first.WhichOneof("part") != "file":
        raise BadRequest("file_missing", "The first message says what the file is.")
    file = first.file
    document = uploads.store_generated(
        uow,
        (message.chunk for message in requests),
        kind=file.kind,
        client_id=UUID(file.client_id),
        job_id=uuid_or_none(file.job_id),
        reference_id=UUID(file.reference_id),
        name=file.name,
        visibility=file.visibility,
        size=file.size,
        sha256=file.sha256,
    )
    return pb.StoreGeneratedResponse(document=state_of(document))


def read_content(uow: Uow, request: pb.ReadContentRequest) -> pb.ReadContentResponse:
    """A file that its client may see, whole, to be mailed."""
    found = files.content(uow, UUID(request.document_id))
    return pb.ReadContentResponse(name=found.name, media_type=found.media_type, content=found.content)


def keep_picture(uow: Uow, request: pb.KeepPictureRequest) -> pb.KeepPictureResponse:
    return pb.KeepPictureResponse(picture_id=str(pictures.keep(uow, request.content, request.media_type).id))


def read_picture(uow: Uow, request: pb.ReadPictureRequest) -> pb.ReadPictureResponse:
    picture, content = pictures.read(uow, UUID(request.picture_id))
    return pb.ReadPictureResponse(media_type=picture.media_type, content=content)


def start_upload(uow: Uow, request: pb.StartUploadRequest) -> pb.StartUploadResponse:
    """A contact's upload; a contact who doesn't act for the client does not find it."""
    client_id = UUID(request.client_id)
    if client_id not in uow.principal.client_ids:
        raise NotFound("client_not_found", "There is no such client.")
    # A page sends at most one request: a file too large for a single PUT goes as a form post, proven by the worker.
    form = not request.sha256 or request.size > SINGLE_PUT_MAX
    announced = uploads.Announced(
        size=request.size, sha256=request.sha256 or None, form=form, redirect_url=request.redirect_url or None
    )
    upload, targets = uploads.start_document(
        uow,
        announced,
        client_id=client_id,
        name=request.name,
        visibility="client_view",
        job_id=uuid_or_none(request.job_id),
        request_id=uuid_or_none(request.request_id),
    )
    answer = pb.StartUploadResponse(document_id=str(upload.document_id), upload_id=str(upload.id))
    for target in targets:
        answer.method, answer.url = target.method, target.url
        answer.headers.update(target.headers)
        answer.fields.update(target.fields)
    return answer


def complete_upload(uow: Uow, request: pb.CompleteUploadRequest) -> pb.CompleteUploadResponse:
    document = uploads.complete(uow, UUID(request.upload_id))
    if str(document.id) != request.document_id:
        raise NotFound("upload_not_found", "There is no such upload.")
    return pb.CompleteUploadResponse(document=state_of(document))


def create_download(uow: Uow, request: pb.CreateDownloadRequest) -> pb.CreateDownloadResponse:
    download = files.download(uow, UUID(request.document_id))
    return pb.CreateDownloadResponse(url=download.url, name=download.name)
