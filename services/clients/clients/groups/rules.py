"""What a group may be. Pure."""

from collections.abc import Collection, Sequence
from typing import Any

from chassis.errors import Conflict, Invalid

MOST = 500  # clients of a group


def require_acyclic(group: Any, parents: Sequence[tuple[Any, str]]) -> None:
    """A group is never part of itself. `parents` are the wanted parent and all above it, with their names. Errors: `group_contains_itself`."""
    path = [name for _, name in parents]
    for place, (id, _) in enumerate(parents):
        if id == group:
            raise Invalid(
                "group_contains_itself",
                f"A group can't be part of itself: {' in '.join(path[: place + 1])}.",
                pointer="/parent_id",
            )


def require_bill_to_inside(bill_to: Any | None, members: Collection[Any]) -> None:
    """Who is billed for the group is one of it. Errors: `bill_to_not_in_group`."""
    if bill_to is not None and bill_to not in members:
        raise Invalid("bill_to_not_in_group", "Who is billed must be a client of the group.", pointer="/bill_to_id")


def require_not_billed(client: Any, bill_to: Any | None) -> None:
    """The client billed for all can't leave the others without. Errors: `client_is_bill_to`."""
    if client == bill_to:
        raise Conflict("client_is_bill_to", "This client is billed for the group. Choose another to be billed first.")


def require_room(members: int) -> None:
    """A group holds so many. Errors: `group_full`."""
    if members > MOST:
        raise Conflict("group_full", f"A group can hold {MOST} clients. Make it several, with one group above them.")


def require_no_groups_inside(names: Sequence[str]) -> None:
    """A group that holds groups isn't dissolved over their heads. Errors: `group_holds_groups`."""
    if names:
        raise Conflict("group_holds_groups", f"It holds the groups {', '.join(names[:5])}. Take them out first.")
