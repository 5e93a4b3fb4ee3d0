"""Events in, work that is due, state to send again, and what must always hold."""

from collections.abc import Callable

from chassis import merged
from chassis.consumer import Listen
from praxis.clients.v1.events_pb2 import ClientChanged, ClientMerged, ClientRemoved, EngagementChanged, GroupChanged
from praxis.identity.v1.events_pb2 import FirmUpdated, StaffChanged
from praxis.portal.v1.events_pb2 import BrandingChanged
from praxis.timebilling.v1.events_pb2 import DisbursementChanged, InvoiceChanged, TimeEntryChanged, TimerChanged
from praxis.workflow.v1.events_pb2 import JobChanged, TaskChanged
from timebilling.arrangements import usecases as arrangements
from timebilling.billing_runs import usecases as billing_runs
from timebilling.card_payments import usecases as card_payments
from timebilling.copies import usecases as copies
from timebilling.disbursements import queries as disbursements
from timebilling.invoices import pdf
from timebilling.invoices import queries as invoices
from timebilling.ledger import queries as ledger
from timebilling.made_files import usecases as made_files
from timebilling.payments import queries as payments
from timebilling.reminders import usecases as reminders
from timebilling.statement_runs import usecases as statement_runs
from timebilling.time_entries import queries as time_entries
from timebilling.timers import queries as timers
from timebilling.wip import queries as wip
from timebilling.wip import usecases as wip_acts

LISTENS = [
    Listen(ClientChanged, copies.keep_client),
    Listen(ClientMerged, copies.follow_merge),
    Listen(ClientRemoved, copies.forget_client),
    Listen(EngagementChanged, arrangements.follow_engagement),
    Listen(GroupChanged, copies.keep_group),
    Listen(JobChanged, copies.keep_job),
    Listen(TaskChanged, copies.keep_task),
    Listen(StaffChanged, copies.keep_staff),
    Listen(FirmUpdated, copies.keep_firm),
    Listen(BrandingChanged, copies.keep_branding),
]

TIMERS: dict[str, Callable[..., object]] = {
    "repoint": merged.again,
    "render_invoice": pdf.render_invoice,
    "tell_of_work": wip_acts.tell_of_work,
    "card_fee": card_payments.book_fee,
    "bill_recurring": arrangements.bill_recurring,
    "billing_run": billing_runs.advance,
    "announce_overdue": reminders.overdue,
    "plan_reminders": reminders.plan_all,
    "remind": reminders.remind,
    "make_file": made_files.make,
    "statement_run": statement_runs.advance,
}

REPUBLISH = {
    TimeEntryChanged: time_entries.states,
    DisbursementChanged: disbursements.states,
    TimerChanged: timers.states,
    InvoiceChanged: invoices.states,
}

CHECKS = {
    "an entry is on one live invoice at most": wip.misplaced_items,
    "WIP identity of every job": wip.broken_identities,
    "what is approved and billable is WIP, and only that": wip.unapproved_items,
    "WIP is worth what its rate, or its cost, comes to": wip.wrong_values,
    "lines sum to the total": invoices.wrong_totals,
    "credit notes sum to what was credited": invoices.wrong_credits,
    "what is billed of work is what invoices say less what was credited": invoices.wrong_billed,
    "invoice numbers have no gaps": invoices.number_gaps,
    "every posting balances": ledger.unbalanced,
    "the ledger agrees with invoices and payments": ledger.strays,
    "allocations within bounds": payments.out_of_bounds,
    "refunds within their payment": payments.refunded_too_much,
    "the bank in the ledger is what came less what went": ledger.lost_money,
}
