"""What stands in a feed, and the feeds a person has."""

from datetime import timedelta
from typing import Any

from icalendar import Calendar, Event
from sqlalchemy import RowMapping, text

from chassis.paging import keyset, page
from chassis.uow import Uow
from workflow.feeds.tables import Feed

MOST = 2000  # entries

_LIST = """
SELECT f.id, f.kind, f.client_id, c.name AS client_name, f.group_id, g.name AS group_name, f.created_at, f.read_at, f.version
FROM feeds f LEFT JOIN client_copy c ON c.firm_id = f.firm_id AND c.id = f.client_id
LEFT JOIN group_copy g ON g.firm_id = f.firm_id AND g.id = f.group_id
WHERE f.firm_id = :firm AND f.staff_id = :staff AND f.revoked_at IS NULL {after}
ORDER BY f.created_at DESC, f.id DESC LIMIT :n
"""


def list_feeds(uow: Uow, *, limit: int, cursor: str | None) -> dict[str, Any]:
    """One's own, latest first."""
    after, parameters = keyset(["f.created_at", "f.id"], cursor, descending=True, casts=["timestamptz", "uuid"])
    values = {"firm": uow.firm_id, "staff": uow.principal.id, "n": limit + 1, **parameters}
    rows = uow.session.execute(text(_LIST.format(after=after)), values).mappings()
    return page([_shown(row) for row in rows], limit, lambda feed: (feed["created_at"], feed["id"]))


def _shown(row: RowMapping) -> dict[str, Any]:
    return {
        **{name: row[name] for name in ("id", "kind", "created_at", "read_at", "version")},
        "client": {"id": row["client_id"], "name": row["client_name"] or ""} if row["client_id"] else None,
        "group": {"id": row["group_id"], "name": row["group_name"] or ""} if row["group_id"] else None,
    }


# Joined to the client as the reader sees it: a private client's dates are there for those named on it only.
_DUE = """
SELECT * FROM (
    SELECT 'task' AS kind, t.id, t.job_id, t.title || ' – ' || j.title AS title, c.name AS client, t.due_on, t.version
    FROM tasks t JOIN jobs j ON j.firm_id = t.firm_id AND j.id = t.job_id
    JOIN client_copy c ON c.firm_id = t.firm_id AND c.id = t.client_id
    WHERE t.firm_id = :firm AND t.status IN ('not_started', 'in_progress') AND t.due_on IS NOT NULL {tasks}
    UNION ALL
    SELECT 'job', j.id, j.id, j.title, c.name, j.due_on, j.version
    FROM jobs j JOIN client_copy c ON c.firm_id = j.firm_id AND c.id = j.client_id
    WHERE j.firm_id = :firm AND j.closed_at IS NULL AND j.cancelled_at IS NULL AND j.due_on IS NOT NULL {jobs}
) due ORDER BY due_on, id LIMIT :n
"""

_WHOSE = {
    "person": "AND {t}.owner_id = :staff",
    "client": "AND {t}.client_id = :client",
    "group": "AND {t}.client_id = ANY (SELECT unnest(g.client_ids) FROM group_copy g WHERE g.firm_id = :firm AND g.id = :group)",
}


def calendar(uow: Uow, feed: Feed) -> bytes:
    """The feed as iCalendar: open tasks and jobs as whole days (RFC 5545)."""
    whose = _WHOSE[feed.kind]
    statement = _DUE.format(tasks=whose.format(t="t"), jobs=whose.format(t="j"))
    values = {"firm": uow.firm_id, "staff": feed.staff_id, "client": feed.client_id, "group": feed.group_id, "n": MOST}
    found = Calendar()
    found.add("prodid", "-//Praxis//workflow//EN")
    found.add("version", "2.0")
    found.add("x-wr-calname", "Praxis: due dates")
    found.add("refresh-interval", timedelta(hours=1), parameters={"value": "DURATION"})
    for row in uow.session.execute(text(statement), values).mappings():
        found.add_component(_event(uow, row))
    return bytes(found.to_ical())


def _event(uow: Uow, row: RowMapping) -> Event:
    event = Event()
    event.add("uid", f"{row['kind']}-{row['id']}@praxis")
    event.add("dtstamp", uow.now)
    event.add("sequence", row["version"])
    event.add("summary", f"{row['title']} ({row['client']})")
    event.add("dtstart", row["due_on"])
    event.add("dtend", row["due_on"] + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    event.add("url", f"{uow.runtime.settings.public_url}/jobs/{row['job_id']}")
    return event
