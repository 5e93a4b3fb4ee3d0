"""Who may do what with a note. Pure."""

from collections.abc import Sequence
from typing import Any

from chassis.errors import Forbidden, Invalid


def require_author(author: str, actor: str) -> None:
    """Words are changed and taken back by whoever said them. Errors: `note_not_yours`."""
    if author != actor:
        raise Forbidden("note_not_yours", "Only who wrote a note can change its words or take it back.")


def require_all_see(mentions: Sequence[Any], visible_to: Sequence[Any] | None) -> None:
    """Nobody is pointed to a private client they aren't named on. Errors: `mentioned_cannot_see`."""
    for place, staff_id in enumerate(mentions):
        if visible_to is not None and staff_id not in visible_to:
            raise Invalid(
                "mentioned_cannot_see",
                "This member of staff may not see the client. Name them on it first.",
                pointer=f"/mentions/{place}",
            )
