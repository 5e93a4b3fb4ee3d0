"""Tasks: which act is possible in which status."""

OPEN = ("not_started", "in_progress")
CLOSED = ("done", "skipped", "cancelled")

# act -> (statuses it is possible in, status it leads to). Doing what is already so changes nothing and is no error.
ACTS = {
    "start": (("not_started",), "in_progress"),
    "finish": (OPEN, "done"),
    "skip": (OPEN, "skipped"),
    "reopen": (("done", "skipped"), "not_started"),
}


class NotPossible(ValueError):
    """The act does not go with the task's status."""


def after(act: str, status: str) -> str | None:
    """The status an act leads to; None if the task is there already. Errors: NotPossible."""
    allowed, target = ACTS[act]
    if status == target or (act == "reopen" and status in OPEN):
        return None
    if status not in allowed:
        raise NotPossible(f"A task that is {status.replace('_', ' ')} can't be {_PARTICIPLE[act]}.")
    return target


_PARTICIPLE = {"start": "started", "finish": "finished", "skip": "skipped", "reopen": "reopened"}


def checklist_of(lines: tuple[str, ...] | list[str]) -> list[dict[str, object]]:
    """A new task's checklist: lines with keys that stay theirs."""
    return [{"key": f"c{i}", "text": text, "done": False} for i, text in enumerate(lines, 1)]


def edited_checklist(before: list[dict[str, object]], lines: list[dict[str, str]]) -> list[dict[str, object]]:
    """A checklist rewritten: lines that name a known key keep their tick, others get the next free key."""
    ticks = {str(line["key"]): line["done"] for line in before}
    number = max((int(key[1:]) for key in ticks if key[1:].isdigit()), default=0)
    result: list[dict[str, object]] = []
    for line in lines:
        key = line.get("key", "")
        if key not in ticks:
            number += 1
            key = f"c{number}"
        result.append({"key": key, "text": line["text"], "done": ticks.get(key, False)})
    return result
