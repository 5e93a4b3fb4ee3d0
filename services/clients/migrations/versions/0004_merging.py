"""Clients that were merged, and what other services have done for a client."""

from alembic import op

from chassis.merged import mergeable
from chassis.migrate import protect

revision = "merging_0002"
down_revision = "memory_0003"


def upgrade() -> None:
    op.execute("""
        CREATE TABLE client_uses (
            firm_id uuid NOT NULL, id uuid NOT NULL,
            client_id uuid NOT NULL,
            kind text NOT NULL CONSTRAINT ck_client_uses_kind CHECK (kind IN ('job', 'request', 'invoice', 'document')),
            label text NOT NULL,
            live boolean NOT NULL,
            version bigint NOT NULL,
            CONSTRAINT pk_client_uses PRIMARY KEY (firm_id, id)
        )""")
    op.execute("CREATE INDEX ix_client_uses_client ON client_uses (firm_id, client_id, kind)")
    protect(op, "client_uses")
    mergeable(op, "client_id")
