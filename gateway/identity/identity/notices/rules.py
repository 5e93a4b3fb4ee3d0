"""How long notices are kept. Pure."""

from datetime import UTC, datetime, time, timedelta

KEPT = timedelta(days=90)
COUNTED = 100  # unread ones; more are as many


def end_of_day(at: datetime) -> datetime:
    """The midnight (UTC) after an instant: a day's notices are forgotten together, `KEPT` after it."""
    return datetime.combine(at.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
