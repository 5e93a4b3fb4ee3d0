"""The whole service on one screen."""

from pathlib import Path

from chassis.service import Service
from documents import consumers, grpc, store
from documents.settings import Settings
from praxis.documents.v1 import documents_pb2

service = Service(
    name="documents",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    rpc=[(documents_pb2.DESCRIPTOR.services_by_name["Documents"], grpc)],
    listens=consumers.LISTENS,
    timers=consumers.TIMERS,
    merged="client_id",
    republish=consumers.REPUBLISH,
    checks=consumers.CHECKS,
    on_migrate=[store.make_bucket],
)
