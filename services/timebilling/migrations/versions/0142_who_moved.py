"""A movement of WIP says who made it, so that a person's limit counts what they did to a job this month."""

from alembic import op

revision = "who_moved"
down_revision = "few_among_many"


def upgrade() -> None:
    op.execute("ALTER TABLE wip_movements ADD COLUMN actor text")
    # Only what people write up, down and off: billing a thousand entries adds nothing here.
    op.execute(
        "CREATE INDEX ix_wip_movements_actor ON wip_movements (firm_id, actor, job_id, at) "
        "WHERE actor IS NOT NULL AND invoice_id IS NULL AND kind <> 'standard'"
    )


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
