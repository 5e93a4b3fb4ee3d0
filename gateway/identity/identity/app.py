"""Identity on one screen: what it serves, what it does later, what it can send again."""

from pathlib import Path

from chassis import merged
from chassis.consumer import Listen
from chassis.errors import Conflict
from chassis.service import Service
from identity import commands, grpc
from identity.firms.usecases import all_firm_states
from identity.live.server import serve
from identity.live.usecases import keep_audience
from identity.mail.usecases import mail_invitation, mail_password_reset
from identity.notices.usecases import follow_merge, forget_notices, keep_notice
from identity.sessions.usecases import forget_session
from identity.settings import Settings
from identity.staff.queries import all_staff_states
from identity.tokens.source import keys_of
from praxis.clients.v1 import events_pb2 as clients_events
from praxis.identity.v1 import events_pb2, identity_pb2
from praxis.workflow.v1 import events_pb2 as workflow_events

service = Service(
    name="identity",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    keys=keys_of,  # identity verifies by its own keys, not by asking itself
    rpc=[(identity_pb2.DESCRIPTOR.services_by_name["Identity"], grpc)],
    listens=[
        Listen(clients_events.ClientChanged, keep_audience),
        Listen(clients_events.ClientMerged, follow_merge),
        Listen(clients_events.NoticeDue, keep_notice),
        Listen(workflow_events.NoticeDue, keep_notice),
    ],
    timers={
        "mail_invitation": mail_invitation,
        "mail_password_reset": mail_password_reset,
        "forget_session": forget_session,
        "forget_notices": forget_notices,
        "repoint": merged.again,
    },
    republish={events_pb2.FirmUpdated: all_firm_states, events_pb2.StaffChanged: all_staff_states},
    constraints={
        "uq_staff_email": Conflict(
            "staff_email_taken", "Somebody at the firm has this address already.", pointer="/email"
        ),
        "pk_sign_in_addresses": Conflict(
            "staff_email_taken", "Somebody at the firm has this address already.", pointer="/email"
        ),
    },
    needs={
        "http": ("signing_key_file", "service_secrets", "field_key"),
        "grpc": ("signing_key_file",),
        "worker": ("field_key", "smtp_url", "public_url"),
        "live": ("signing_key_file", "amqp_url", "issuer", "database_url"),
        "create-firm": ("database_url", "field_key"),
        "setup-token": ("database_url",),
    },
    modes={"live": serve, "create-firm": commands.create_firm, "setup-token": commands.setup_token},
)

# Tables without row-level security, beside chassis' own, and why (a test walks the catalogue).
EXEMPT = {
    "credentials": "a person has one password, whichever firms they work for; looked up by a keyed hash before a firm is known",
    "sign_in_addresses": "tells, by a keyed hash of the address, which firms somebody can sign in to",
    "password_resets": "belongs to a person, not to a firm",
    "attempts": "counts wrong tries by keyed hashes, before anybody is known",
    "setup_tokens": "permits for firms that do not exist yet",
}
