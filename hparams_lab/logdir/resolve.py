"""What a word means among names: the name itself, or the only one that begins so."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from hparams_lab.errors import UnknownExperimentError, did_you_mean

_NUM_SHOWN = 5


def match(word: str, names: Collection[str]) -> list[str]:
    """Return the names that begin with a word; only the name itself if it is one.

    Example:
        >>> match("r00", ["r00", "r00a1"]), match("r0", ["r00", "r01"])
        (['r00'], ['r00', 'r01'])
    """
    return [word] if word in names else [name for name in names if name.startswith(word)]


def refuse_ambiguous(noun: str, word: str, names: Sequence[str]) -> None:
    """Refuse a word that several things begin with.

    Args:
        noun: what is meant: sweep, trial or run.
        word: as the user wrote it.
        names: of what begins so, in full.

    Raises:
        UnknownExperimentError: if they are several.
    """
    if len(names) > 1:
        shown = ", ".join(names[-_NUM_SHOWN:])
        raise UnknownExperimentError(f"{noun} {word!r} is ambiguous: {shown}. Name one of them.")


def hint_at(word: str, names: Collection[str]) -> str:
    """Return a sentence with the name that may be meant, or with the last ones there are."""
    known = [*dict.fromkeys(names)]
    return did_you_mean(word, known) or f" It has {', '.join(known[-_NUM_SHOWN:]) or 'none'}."
