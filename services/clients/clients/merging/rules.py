"""What becomes of two clients that are one. Pure.

What the survivor says stays; what it leaves open is filled from the duplicate; what the caller takes comes from the duplicate.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from chassis.errors import Conflict, Invalid
from clients.parties.rules import ACTIVE, FORMER, PROSPECT
from clients.parties.rules import tags as tidy_tags

# What can be taken from the duplicate instead. Tags and names are joined, so that both are still found; the firm's own fields are
# filled; the status is the livelier one.
CHOOSABLE = (
    "number", "name", "kind", "language", "country", "year_end", "born_on", "address", "partner_id", "manager_id", "external_id"
)  # fmt: skip
_LIVELIEST = (ACTIVE, PROSPECT, FORMER)


@dataclass(frozen=True, slots=True)
class Field:
    """One fact of both, and which of them the merged client will have."""

    name: str
    survivor: Any
    merged: Any
    result: Any

    @property
    def differs(self) -> bool:
        """Whether something of the two is lost unless somebody looks."""
        return self.survivor is not None and self.merged is not None and self.survivor != self.merged


def combined(survivor: Mapping[str, Any], merged: Mapping[str, Any], take: Collection[str] = ()) -> list[Field]:
    """Every fact of both and what comes of it. Errors: `not_choosable`."""
    for name in take:
        if name not in CHOOSABLE:
            raise Invalid(
                "not_choosable", f"{name} can't be chosen. Choose among {', '.join(CHOOSABLE)}.", pointer="/take"
            )
    fields = []
    for name in CHOOSABLE:
        mine, theirs = survivor[name], merged[name]
        result = theirs if mine is None or (name in take and theirs is not None) else mine
        fields.append(Field(name, mine, theirs, result))
    status = min(survivor["status"], merged["status"], key=_LIVELIEST.index)
    fields.append(Field("status", survivor["status"], merged["status"], status))
    name = next(field.result for field in fields if field.name == "name")
    called = dict.fromkeys([survivor["name"], merged["name"], *survivor["other_names"], *merged["other_names"]])
    other_names = [other for other in called if other != name]
    fields.append(Field("other_names", survivor["other_names"], merged["other_names"], other_names))
    former = list(dict.fromkeys([*survivor["former_names"], *merged["former_names"]]))
    fields.append(Field("former_names", survivor["former_names"], merged["former_names"], former))
    fields.append(Field("custom", survivor["custom"], merged["custom"], {**merged["custom"], **survivor["custom"]}))
    joined = tidy_tags([*survivor["tags"], *merged["tags"]])
    fields.append(Field("tags", survivor["tags"], merged["tags"], joined))
    return fields


def require_mergeable(survivor: Mapping[str, Any], merged: Mapping[str, Any]) -> None:
    """Errors: `merge_with_itself`, `merge_currency_differs`, `merge_audience_differs`."""
    if survivor["id"] == merged["id"]:
        raise Invalid(
            "merge_with_itself", "A client can't be merged with itself. Name the duplicate.", pointer="/merged_id"
        )
    if survivor["currency"] != merged["currency"]:
        raise Conflict(
            "merge_currency_differs",
            f"One is billed in {survivor['currency']}, the other in {merged['currency']}. Give both one currency first.",
        )
    if audience(survivor["visible_to"]) != audience(merged["visible_to"]):
        raise Conflict(
            "merge_audience_differs",
            "The two are not visible to the same people, and merging would show things to more of them. "
            "Give both the same people first.",
        )


def audience(visible_to: Collection[Any] | None) -> frozenset[str] | None:
    """Who may see a client, to be compared; None is everyone."""
    return None if visible_to is None else frozenset(map(str, visible_to))
