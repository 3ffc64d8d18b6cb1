"""Texts for users: counts, long ones cut, tables of Markdown, nothing that steers a terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence


def count(number: float, noun: str) -> str:
    """Return a number of things.

    Example:
        >>> count(1, "trial"), count(2, "trial"), count(2.0, "GPU")
        ('1 trial', '2 trials', '2 GPUs')
    """
    shown = f"{number:g}" if isinstance(number, float) else number
    return f"{shown} {noun}" if number == 1 else f"{shown} {noun}s"


def truncate(text: str, length: int) -> str:
    """Return a text as it is if it has at most `length` characters, else its beginning.

    Example:
        >>> truncate("a long sentence", 9)
        'a long...'
    """
    return text if len(text) <= length else f"{text[: length - 3]}..."


def escape_cell(value: object) -> str:
    r"""Return a value as the cell of a Markdown table, on one line.

    Example:
        >>> escape_cell("a|b")
        'a\\|b'
    """
    return " ".join(str(value).split()).replace("|", "\\|")


def markdown_table(headers: Sequence[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table of Markdown, of cells that are escaped already.

    Example:
        >>> print(markdown_table(["x", "y"], [["1", "2"]]))
        | x | y |
        |---|---|
        | 1 | 2 |
    """
    head = "|".join(f" {header} " if header else " " for header in headers)
    body = (f"| {' | '.join(row)} |" for row in rows)
    return "\n".join([f"|{head}|", "|" + "---|" * len(headers), *body])


def escape_control(line: str) -> str:
    """Return a line without what would break it, or steer a terminal."""
    if line.isprintable():
        return line
    return "".join(
        letter if letter.isprintable() else letter.encode("unicode_escape").decode()
        for letter in line
    )
