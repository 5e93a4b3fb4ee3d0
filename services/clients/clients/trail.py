"""The audit of a change: only what differs."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from chassis.uow import Uow


def audit_change(
    uow: Uow,
    action: str,
    kind: str,
    id: UUID,
    *,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    reason: str | None = None,
) -> None:
    """Records the fields of `after` that are not what they were."""
    changed = [field for field in after if after[field] != before[field]]
    uow.audit(
        action,
        kind,
        id,
        before={field: before[field] for field in changed},
        after={field: after[field] for field in changed},
        reason=reason,
    )
