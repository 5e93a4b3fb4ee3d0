"""The service on one screen."""

from pathlib import Path

from chassis.errors import Conflict
from chassis.service import Service
from clients import consumers, grpc
from clients.settings import Settings
from praxis.clients.v1 import clients_pb2

_EXTERNAL_ID = Conflict("external_id_taken", "Something else has this external id already.", pointer="/external_id")
_RELATED = Conflict("already_related", "The two are related like this already.")

_GONE = Conflict("client_gone", "The client was merged or removed at this moment. Load it again.")

service = Service(
    name="clients",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    rpc=[(clients_pb2.DESCRIPTOR.services_by_name["Clients"], grpc)],
    listens=consumers.LISTENS,
    timers=consumers.TIMERS,
    merged="client_id",
    republish=consumers.REPUBLISH,
    checks=consumers.CHECKS,
    needs={"http": ["field_key"], "worker": ["field_key"]},
    constraints={
        "uq_clients_number": Conflict(
            "client_number_taken", "Another client has this number. Choose another.", pointer="/number"
        ),
        "uq_custom_fields_firm_id_key": Conflict(
            "custom_field_key_taken", "Another field has this key. Choose another.", pointer="/key"
        ),
        "uq_client_group_members_firm_id_client_id": Conflict(
            "client_in_another_group", "The client is in another group already. Take it out there first."
        ),
        "uq_relationships_clients": _RELATED,
        "uq_relationships_named": _RELATED,
        "uq_clients_external_id": _EXTERNAL_ID,
        "uq_contacts_external_id": _EXTERNAL_ID,
        "uq_engagements_external_id": _EXTERNAL_ID,
        "fk_contact_roles_firm_id_client_id": _GONE,
        "fk_engagements_firm_id_client_id": _GONE,
    },
)
