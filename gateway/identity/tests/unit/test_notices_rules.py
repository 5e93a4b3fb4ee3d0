from datetime import UTC, datetime, timedelta, timezone

from identity.notices.rules import end_of_day


def test_a_days_notices_are_forgotten_together():
    assert end_of_day(datetime(2026, 12, 31, 0, 0, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    assert end_of_day(datetime(2026, 12, 31, 23, 59, tzinfo=UTC)) == datetime(2027, 1, 1, tzinfo=UTC)
    auckland = timezone(timedelta(hours=13))
    assert end_of_day(datetime(2027, 1, 1, 9, 0, tzinfo=auckland)) == datetime(2027, 1, 1, tzinfo=UTC)
