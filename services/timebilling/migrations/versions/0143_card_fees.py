"""What a card provider keeps of a payment is posted once; the postings of a payment are found by it."""

from alembic import op

revision = "card_fees"
down_revision = "who_moved"


def upgrade() -> None:
    op.execute(
        "CREATE INDEX ix_ledger_postings_payment ON ledger_postings (firm_id, payment_id) WHERE payment_id IS NOT NULL"
    )
    op.execute(
        "CREATE UNIQUE INDEX uq_ledger_postings_card_fee ON ledger_postings (firm_id, payment_id) WHERE kind = 'card_fee'"
    )


def downgrade() -> None:
    raise NotImplementedError("money is never migrated backwards: restore a backup")
