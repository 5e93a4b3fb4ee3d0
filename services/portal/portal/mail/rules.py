"""When clients may be written to. Pure."""

from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

# How long a mail waits for its invoice's PDF, and how often it looks.
PDF_PATIENCE, PDF_WAIT = timedelta(minutes=15), timedelta(seconds=10)
GATHERING = timedelta(minutes=5)  # reminders that fall due together go out in one mail


def next_send(now: datetime, zone: str, quiet_from: str, quiet_until: str) -> datetime:
    """The first instant from `now` (aware) outside the firm's quiet hours, e.g. "20:00" to "07:00" of its own clock.

    Equal or empty bounds mean that no hour is quiet.
    """
    if not quiet_from or not quiet_until or quiet_from == quiet_until:
        return now
    begins, ends = time.fromisoformat(quiet_from), time.fromisoformat(quiet_until)
    local = now.astimezone(ZoneInfo(zone))
    clock = local.time()
    over_midnight = begins > ends
    quiet = (clock >= begins or clock < ends) if over_midnight else begins <= clock < ends
    if not quiet:
        return now
    day = local.date() + timedelta(days=1 if over_midnight and clock >= begins else 0)
    # Through the wall clock, so that the night the clocks change also ends at the right hour.
    return datetime.combine(day, ends, tzinfo=ZoneInfo(zone)).astimezone(now.tzinfo)
