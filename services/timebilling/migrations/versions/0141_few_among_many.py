"""Few among many have an index: open work with what sums of it need, credit notes, credit not applied yet, disbursements not approved yet."""

from alembic import op

revision = "few_among_many"
down_revision = "references_at_once"


def upgrade() -> None:
    op.execute("DROP INDEX ix_wip_items_open")
    op.execute(
        "CREATE INDEX ix_wip_items_open ON wip_items (firm_id, client_id, day, id) "
        "INCLUDE (job_id, staff_id, currency, state, remaining, seconds, billable_seconds) WHERE state IN ('unbilled', 'reserved')"
    )
    op.execute("CREATE INDEX ix_invoices_credit_notes ON invoices (firm_id, id) WHERE kind = 'credit_note'")
    op.execute(
        "CREATE INDEX ix_payments_unapplied ON payments (firm_id, id) WHERE reversed_at IS NULL AND allocated + refunded < amount"
    )
    op.execute("DROP INDEX ix_disbursements_submitted")
    op.execute(
        "CREATE INDEX ix_disbursements_open ON disbursements (firm_id, status, day, id) WHERE status <> 'approved'"
    )
    op.execute("CREATE INDEX ix_bank_lines_account ON bank_lines (firm_id, account, booked_on, id)")


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
