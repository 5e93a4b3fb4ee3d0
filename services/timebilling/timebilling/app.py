"""The whole service on one screen."""

from pathlib import Path

from chassis.errors import Conflict
from chassis.service import Service
from praxis.timebilling.v1 import timebilling_pb2
from timebilling import consumers, grpc
from timebilling.rates.usecases import OVERLAP
from timebilling.settings import Settings
from timebilling.timers import rules as timers

service = Service(
    name="timebilling",
    root=Path(__file__).resolve().parents[1],
    settings=Settings,
    rpc=[(timebilling_pb2.DESCRIPTOR.services_by_name["Timebilling"], grpc)],
    listens=consumers.LISTENS,
    timers=consumers.TIMERS,
    merged="client_id",
    republish=consumers.REPUBLISH,
    checks=consumers.CHECKS,
    constraints={
        # The database holds these whoever writes; most are refused by a use case first, with more to say.
        "period_locked": Conflict(
            "period_locked", "This period was locked meanwhile. Choose a later day, or ask someone who may override it."
        ),
        "entry_approved": Conflict("entry_approved", "This entry is approved and does not change any more."),
        "invoice_issued": Conflict("invoice_issued", "An issued invoice does not change. Void it to correct it."),
        "uq_invoice_items_live": Conflict(
            "entry_reserved", "Some of this work was put on another draft meanwhile. Load the WIP again."
        ),
        "ck_invoice_lines_credited": Conflict("credit_over_invoice", "This takes off more than the line has left."),
        "uq_invoices_number": Conflict(
            "number_taken", "This number is taken by a document of another series. Change the number pattern."
        ),
        "uq_exchange_rates_day": Conflict(
            "exchange_rate_set", "Somebody has set a rate of this day meanwhile. Look at it."
        ),
        "pk_client_terms": Conflict("version_conflict", "Somebody has changed these terms meanwhile. Load them again."),
        "uq_number_patterns_type": Conflict(
            "version_conflict", "Somebody has changed the numbering meanwhile. Load it again."
        ),
        "uq_arrangement_bills_period": Conflict("period_billed", "This period was billed meanwhile."),
        "uq_arrangement_bills_milestone": Conflict("milestone_billed", "This milestone was billed meanwhile."),
        "uq_arrangement_bills_final": Conflict("arrangement_completed", "The final bill was made meanwhile."),
        "uq_number_series_series": Conflict("number_series_begun", "This series has begun meanwhile."),
        "ck_invoices_paid": Conflict("payment_over_balance", "This pays more than the invoice has open."),
        "ck_invoices_settled": Conflict("payment_over_balance", "This pays more than the invoice has open."),
        "ck_payments_allocated": Conflict("allocations_over_payment", "The allocations are more than the payment."),
        "ck_payments_refunded": Conflict("refund_over_payment", "This is more than is left of the payment."),
        "uq_ledger_postings_reverses": Conflict("payment_reversed", "This was taken back meanwhile. Load it again."),
        "uq_bank_lines_payment": Conflict("payment_has_bank_line", "This payment is another line of the bank already."),
        "time_overlap": timers.overlap(),
        "uq_imported_entries_key": Conflict(
            "already_imported", "Some of these rows were imported meanwhile. Try again."
        ),
        "pk_timers": Conflict("version_conflict", "Your timer was started elsewhere meanwhile. Load it again."),
        "pk_rounding_policies": Conflict("version_conflict", "Somebody has set this meanwhile. Load it again."),
        "rate_overlap": OVERLAP,
        "tax_rate_overlap": Conflict(
            "tax_rate_overlap", "A rate of this tax code is set for some of these days already."
        ),
        "uq_tax_codes_code": Conflict("tax_code_taken", "There is a tax code of this name already."),
        "uq_activities_name": Conflict("activity_name_taken", "There is an activity of this name already."),
        "pk_card_settings": Conflict(
            "version_conflict", "Somebody has changed the card payments meanwhile. Load them again."
        ),
        "uq_payments_provider": Conflict("payment_known", "This payment of the provider is recorded already."),
        "uq_refunds_provider": Conflict("refund_known", "This refund of the provider is recorded already."),
        "pk_reminder_policies": Conflict(
            "version_conflict", "Somebody has changed the policy meanwhile. Load it again."
        ),
        "pk_firm_settings": Conflict(
            "version_conflict", "Somebody has changed the settings meanwhile. Load them again."
        ),
    },
)
