"""What an engagement's state looks like to the other services."""

from clients import codes
from clients.engagements.rules import CLOSED
from clients.engagements.tables import Engagement
from praxis.clients.v1.events_pb2 import EngagementChanged, FeeTerms, Milestone
from praxis.clients.v1.events_pb2 import EngagementPerson as Person
from praxis.common.v1.types_pb2 import Money


def engagement_changed(engagement: Engagement) -> EngagementChanged:
    """The engagement's current state."""
    return EngagementChanged(
        engagement_id=str(engagement.id),
        client_id=str(engagement.client_id),
        title=engagement.title,
        service=engagement.service,
        status=engagement.status,
        starts_on=engagement.starts_on.isoformat(),
        ends_on=engagement.ends_on.isoformat() if engagement.ends_on else "",
        people=[
            Person(job_role=p.job_role, staff_id=str(p.staff_id))
            for p in sorted(engagement.people, key=lambda p: p.job_role)
        ],
        fee=FeeTerms(
            kind=engagement.fee_kind,
            amount=_money(engagement),
            interval=engagement.fee_interval or "",
            description=engagement.fee_description or "",
            milestones=[
                Milestone(
                    title=stage["title"],
                    amount=Money(amount=stage["amount"], currency=engagement.fee_currency),
                    due_on=stage["due_on"] or "",
                )
                for stage in engagement.fee_milestones or ()
            ],
            percent=str(engagement.fee_percent or ""),
        ),
        version=engagement.version,
    )


def engagement_removed(engagement: Engagement) -> EngagementChanged:
    """An engagement that nothing had been done for is gone."""
    gone = engagement_changed(engagement)
    gone.status, gone.removed, gone.version = CLOSED, True, engagement.version + 1
    return gone


def _money(engagement: Engagement) -> Money | None:
    if engagement.fee_amount is None or engagement.fee_currency is None:
        return None
    return Money(amount=codes.shown(engagement.fee_amount, engagement.fee_currency), currency=engagement.fee_currency)
