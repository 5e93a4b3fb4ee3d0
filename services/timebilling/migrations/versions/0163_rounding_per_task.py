"""What is rounded: each entry, or what an invoice bills of a task together."""

from alembic import op

revision = "rounding_per_task"
down_revision = "interest"


def upgrade() -> None:
    op.execute(
        """ALTER TABLE firm_settings ADD COLUMN rounding_per text NOT NULL DEFAULT 'entry'
           CONSTRAINT ck_firm_settings_per CHECK (rounding_per IN ('entry', 'task'))"""
    )
    op.execute(
        """ALTER TABLE rounding_policies ADD COLUMN per text NOT NULL DEFAULT 'entry'
           CONSTRAINT ck_rounding_policies_per CHECK (per IN ('entry', 'task'))"""
    )


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
