"""Saved views."""

from alembic import op

from chassis.migrate import protect

revision = "views_0350"
down_revision = "reports_0320"


def upgrade() -> None:
    op.execute(
        """CREATE TABLE views (
        firm_id uuid NOT NULL, id uuid NOT NULL,
        owner_id uuid NOT NULL, name text NOT NULL,
        list text NOT NULL CONSTRAINT ck_views_list CHECK (list IN ('jobs', 'tasks', 'requests', 'board')),
        filters jsonb NOT NULL, sort text, group_by text, shared boolean NOT NULL,
        version bigint NOT NULL,
        CONSTRAINT pk_views PRIMARY KEY (firm_id, id),
        CONSTRAINT uq_views_firm_id UNIQUE (firm_id, owner_id, list, name))"""
    )
    op.execute("CREATE INDEX ix_views_name ON views (firm_id, name, id)")
    protect(op, "views")
