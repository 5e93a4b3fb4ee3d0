"""Who may see which client: hints about a private one go to those named on it only."""

from alembic import op

from chassis.migrate import protect

revision = "audiences_0010"
down_revision = "0001"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE client_audiences (
            firm_id uuid, id uuid, visible_to uuid[], version bigint NOT NULL,
            CONSTRAINT pk_client_audiences PRIMARY KEY (firm_id, id))"""
    )
    op.execute("CREATE INDEX ix_client_audiences_private ON client_audiences (firm_id) WHERE visible_to IS NOT NULL")
    protect(op, "client_audiences")
