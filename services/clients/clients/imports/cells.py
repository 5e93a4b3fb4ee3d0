"""Cells of spreadsheets: what a spreadsheet would run as a formula is guarded, and lists are one cell. Pure, and lossless there and back."""

from collections.abc import Iterable

_RUN = ("=", "+", "-", "@", "\t", "\r")


def guarded(text: str) -> str:
    """The text as a CSV shows it: an apostrophe before what a spreadsheet would run (OWASP: CSV injection)."""
    return "'" + text if text.startswith(_RUN) or _guards(text) else text


def unguarded(text: str) -> str:
    """The text again."""
    return text[1:] if _guards(text) else text


def _guards(text: str) -> bool:
    return text[:1] == "'" and text[1:2] != "" and text[1:].startswith((*_RUN, "'"))


def joined(values: Iterable[str]) -> str:
    """A list in one cell: "farm; VIP". What separates is escaped inside."""
    return "; ".join(value.replace("\\", "\\\\").replace(";", "\\;") for value in values)


def listed(text: str) -> list[str]:
    """The list again; a comma doesn't separate, a new line does."""
    values, word, signs = [], "", iter(range(len(text)))
    for place in signs:
        if text[place] == "\\" and text[place + 1 : place + 2] in ("\\", ";"):
            word += text[next(signs)]
        elif text[place] in ";\n":
            values.append(word)
            word = ""
        else:
            word += text[place]
    values.append(word)
    return [value.strip() for value in values if value.strip()]
