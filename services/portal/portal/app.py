"""The whole service on one screen."""

from pathlib import Path

from chassis.service import Service
from portal import consumers, grpc
from portal.pages.app import make_pages
from portal.settings import Settings
from praxis.portal.v1 import portal_pb2

service = Service(
    name="portal",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    rpc=[(portal_pb2.DESCRIPTOR.services_by_name["Portal"], grpc)],
    listens=consumers.LISTENS,
    timers=consumers.TIMERS,
    merged="client_id",
    republish=consumers.REPUBLISH,
    pages={"/portal": make_pages},
)

# Tables without row-level security, beside chassis' own, and why (a test walks the catalogue).
EXEMPT = {
    "sign_in_addresses": "tells, by a keyed hash of the address, which firms' contacts somebody can sign in as",
    "sign_ins": "belongs to a person, whose firm is known only once the code is",
    "attempts": "counts tries by keyed hashes, before anybody is known",
}
