"""What documents hears, does later, tells again and checks."""

from collections.abc import Callable

from chassis import merged
from chassis.consumer import Listen
from documents.copies import usecases as copies
from documents.files import queries as files
from documents.uploads import usecases as uploads
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved
from praxis.documents.v1.events_pb2 import DocumentChanged
from praxis.identity.v1.events_pb2 import FirmUpdated
from praxis.workflow.v1.events_pb2 import JobChanged

LISTENS = [
    Listen(ClientChanged, copies.keep_client),
    Listen(ClientMerged, copies.follow_merge),
    Listen(ClientRemoved, copies.forget_client),
    Listen(JobChanged, copies.keep_job),
    Listen(FirmUpdated, copies.keep_firm),
]
TIMERS: dict[str, Callable[..., object]] = {
    "repoint": merged.again,
    "prove_upload": uploads.prove,
    "expire_upload": uploads.expire,
    "sweep_store": uploads.sweep,
}
REPUBLISH = {DocumentChanged: files.all_states}
CHECKS = {"every document's bytes match its hash": files.broken_bytes}
