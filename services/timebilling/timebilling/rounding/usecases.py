"""Setting how a client's or a job's time is rounded. Approved time keeps what it was rounded by."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from chassis import paging
from chassis.errors import NotFound
from chassis.uow import Uow, lost_update
from timebilling.copies.tables import JobCopy
from timebilling.copies.usecases import client
from timebilling.rounding.tables import RoundingPolicy
from timebilling.time_entries.rules import Rounding

_POLICIES = """
SELECT p.id, p.scope, concat_ws(' · ', c.name, j.title) AS name, p.increment, p.direction, p.minimum, p.per, p.version FROM rounding_policies p
LEFT JOIN job_copy j ON j.firm_id = p.firm_id AND p.scope = 'job' AND j.id = p.id
JOIN client_copy c ON c.firm_id = p.firm_id AND c.id = CASE p.scope WHEN 'job' THEN j.client_id ELSE p.id END
WHERE p.firm_id = :firm"""


def listed(uow: Uow, limit: int, cursor: str | None) -> dict[str, Any]:
    after, values = paging.keyset(["p.id"], cursor)
    rows = uow.session.execute(
        text(f"{_POLICIES} {after} ORDER BY p.id LIMIT :limit"), {"firm": uow.firm_id, "limit": limit + 1, **values}
    ).mappings()
    return paging.page([_view(r) for r in rows], limit, lambda r: (r["id"],))


def put(uow: Uow, subject_id: UUID, body: dict[str, Any], if_match: int | None) -> dict[str, Any]:
    """Errors: `client_not_found`, `job_not_found` (404), `version_conflict` (412; 0 is the version of what has no policy yet)."""
    _check_exists(uow, body["scope"], subject_id)
    rounding = Rounding.of(body["rounding"])
    policy = uow.session.get(RoundingPolicy, (uow.firm_id, subject_id), with_for_update=True)
    if (policy.version if policy else 0) != (if_match or 0):
        raise lost_update(policy.version if policy else 0)
    before = _facts(policy) if policy else None
    values = {
        "increment": rounding.increment,
        "direction": rounding.direction,
        "minimum": rounding.minimum,
        "per": rounding.per,
    }
    if policy is None:
        policy = RoundingPolicy(id=subject_id, scope=body["scope"], **values)
        uow.session.add(policy)
    for name, value in values.items():
        setattr(policy, name, value)
    uow.session.flush()
    uow.audit("rounding.set", "rounding_policy", subject_id, before=before, after=_facts(policy))
    return _one(uow, subject_id)


def delete(uow: Uow, subject_id: UUID, if_match: int | None) -> None:
    """Errors: `rounding_policy_not_found` (404), `version_conflict` (412)."""
    policy = uow.get(RoundingPolicy, subject_id, lock=True, version=if_match)
    _one(uow, subject_id)
    uow.audit("rounding.removed", "rounding_policy", subject_id, before=_facts(policy))
    uow.session.delete(policy)


def _check_exists(uow: Uow, scope: str, subject_id: UUID) -> None:
    """Nobody sets a policy for what isn't there, or may not be seen."""
    if scope == "client":
        client(uow, subject_id)
        return
    try:
        client(uow, uow.get(JobCopy, subject_id).client_id)
    except NotFound:
        raise NotFound("job_not_found", "There is no such job.") from None


def _one(uow: Uow, subject_id: UUID) -> dict[str, Any]:
    row = (
        uow.session.execute(text(f"{_POLICIES} AND p.id = :id"), {"firm": uow.firm_id, "id": subject_id})
        .mappings()
        .first()
    )
    if row is None:
        raise NotFound("rounding_policy_not_found", "There is no such rounding policy.")
    return _view(row)


def _view(row: Any) -> dict[str, Any]:
    rounding = Rounding(row["increment"], row["direction"], row["minimum"], row["per"])
    names = ("id", "scope", "name", "version")
    return {n: row[n] for n in names} | {"rounding": rounding.view(), "says": rounding.says()}


def _facts(policy: RoundingPolicy) -> dict[str, Any]:
    return {"scope": policy.scope, "rounding": policy.rounding.view()}
