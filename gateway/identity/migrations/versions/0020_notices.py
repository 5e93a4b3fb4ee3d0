"""Notices to staff, one for each person."""

from alembic import op

from chassis.merged import mergeable
from chassis.migrate import protect

revision = "notices_0020"
down_revision = "audiences_0010"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE notices (
            firm_id uuid, id uuid, staff_id uuid NOT NULL, reason text NOT NULL, says text NOT NULL, subject_type text NOT NULL,
            subject_id uuid NOT NULL, job_id uuid, client_id uuid, at timestamptz NOT NULL, read_at timestamptz,
            CONSTRAINT pk_notices PRIMARY KEY (firm_id, id),
            CONSTRAINT fk_notices_staff FOREIGN KEY (firm_id, staff_id) REFERENCES staff (firm_id, id))"""
    )
    op.execute("CREATE INDEX ix_notices_staff_id ON notices (firm_id, staff_id, id)")
    op.execute("CREATE INDEX ix_notices_unread ON notices (firm_id, staff_id, id) WHERE read_at IS NULL")
    op.execute("CREATE INDEX ix_notices_at ON notices (firm_id, at)")
    op.execute("CREATE INDEX ix_notices_client_id ON notices (firm_id, client_id)")
    protect(op, "notices")
    mergeable(op, "client_id")
