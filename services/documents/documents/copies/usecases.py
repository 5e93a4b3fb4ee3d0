"""Keeping copies of clients and jobs from their events, or by asking once."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import delete

from chassis.copies import keep_newer, visible_to
from chassis.merged import follow, standing
from chassis.uow import Uow
from documents.copies.tables import ClientCopy, JobCopy
from praxis.clients.v1.clients_pb2 import GetClientRequest
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.workflow.v1.events_pb2 import JobChanged
from praxis.workflow.v1.workflow_pb2 import GetJobRequest


def keep_client(uow: Uow, event: ClientChanged) -> None:
    if standing(uow, event.client_id) != UUID(event.client_id):
        return  # it was merged into another since
    keep_newer(
        uow,
        ClientCopy,
        id=event.client_id,
        version=event.version,
        name=event.name,
        visible_to=visible_to(event.audience.private, event.audience.staff_ids),
    )


def follow_merge(uow: Uow, event: ClientMerged) -> None:
    """What belonged to the client given up belongs to the one that stands."""
    follow(uow, "client_id", UUID(event.client_id), UUID(event.into_client_id))
    _forget(uow, event.client_id)


def forget_client(uow: Uow, event: ClientRemoved) -> None:
    _forget(uow, event.client_id)


def _forget(uow: Uow, client_id: str) -> None:
    uow.session.execute(delete(ClientCopy).where(ClientCopy.firm_id == uow.firm_id, ClientCopy.id == UUID(client_id)))
    uow.keep()


def keep_job(uow: Uow, event: JobChanged) -> None:
    keep_newer(
        uow,
        JobCopy,
        id=event.job_id,
        version=event.version,
        client_id=standing(uow, event.client_id),
        title=event.title,
    )


def keep_firm(uow: Uow, event: FirmUpdated) -> None:
    """A firm's part of the store is swept once a day from when the firm is known."""
    uow.later("sweep_store", "daily", at=uow.now + timedelta(days=1))


def client(uow: Uow, client_id: UUID) -> ClientCopy:
    """The client, or the one it was merged into, if the caller may see it. Errors: `client_not_found`."""
    if uow.session.get(ClientCopy, (uow.firm_id, client_id)) is None:
        client_id = standing(uow, client_id)
    if uow.session.get(ClientCopy, (uow.firm_id, client_id)) is None:
        state = uow.ask("clients", "GetClient", GetClientRequest(client_id=str(client_id))).client
        keep_client(uow, state)
        client_id = UUID(state.client_id)
    return uow.get(ClientCopy, client_id)


def job(uow: Uow, job_id: UUID) -> JobCopy:
    """The job. Errors: `job_not_found`."""
    if uow.session.get(JobCopy, (uow.firm_id, job_id)) is None:
        keep_job(uow, uow.ask("workflow", "GetJob", GetJobRequest(job_id=str(job_id))).job)
    return uow.get(JobCopy, job_id)
