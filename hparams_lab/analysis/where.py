"""Conditions on trials and runs: `accuracy > 0.9 and optimizer == "adam"`.

The language is a small part of Python's: names, numbers, texts in quotes, True, False,
None; comparisons, chained ones too; `and`, `or`, `not`; `in` and `not in` a list, or a
part of a text; + - * /; parentheses; abs, lower, max, min, round. A name that is no plain
word stands in backticks: `` `best/accuracy` > 0.9 ``, `` `lambda` < 1 ``.

What is missing, as it is not there, is None or is NaN, follows SQL's logic of three
values: whatever is compared or reckoned with it is neither true nor false, and so is its
negation. A row is selected where the condition is true, so neither `dropout > 0.2` nor
`not dropout > 0.2` nor `dropout != 0.2` selects one without a dropout, but
`dropout is None` does. A division by zero gives what is missing.

Numbers, texts, and True and False are not compared with each other. Two numbers, unless
both are integers, are equal if they are at the precision of 32 bits, as all that event
files keep: a run that reached 0.9 has an accuracy >= 0.9.

This is not built on simpleeval, the library for such expressions: with three truth values,
every node that it evaluates would have to be replaced, and its errors do not say where they
are. A comparison with a missing value is not simply false, as in pandas, since then `not`
would select what has no value.
"""

from __future__ import annotations

import ast
import contextlib
import math
import operator
import re
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from numbers import Real
from typing import Any, TypeAlias

import numpy as np

from hparams_lab.errors import UsageError, did_you_mean

_CONSTANTS = ("True", "False", "None")
_NUM_SHOWN = 12

_STRING = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_QUOTED = re.compile(_STRING + r"|`([^`]*)`")
# What is written by habit of another language, outside texts, and what is meant.
_HABITS = (
    (re.compile(r"(?<![<>=!])=(?!=)"), "=="),
    (re.compile(r"<>"), "!="),
    (re.compile(r"&&?|\bAND\b"), "and"),
    (re.compile(r"\|\|?|\bOR\b"), "or"),
    (re.compile(r"!(?!=)|\bNOT\b"), "not"),
    (re.compile(r"\*\*|\^"), "* or /"),
)


@dataclass(frozen=True)
class Condition:
    """What is true or false of a trial or a run, given its values by name.

    Example:
        >>> condition = Condition.parse('accuracy > 0.9 and optimizer in ["adam", "sgd"]')
        >>> sorted(condition.names)
        ['accuracy', 'optimizer']
        >>> condition.matches({"accuracy": 0.95, "optimizer": "sgd"})
        True
        >>> condition.matches({"optimizer": "sgd"})
        False
    """

    text: str  # as written
    names: frozenset[str]  # that it asks for
    _evaluate: Evaluate = field(repr=False, compare=False)

    @staticmethod
    def parse(text: str) -> Condition:
        """Return the condition of a text.

        Raises:
            UsageError: if it is no condition; the sentence says where.
        """
        line = re.sub(r"\s", " ", text).strip()
        if not line:
            raise UsageError("a condition must not be empty. Write one, as accuracy > 0.9.")
        quoted: dict[int, str] = {}

        def blank(found: re.Match[str]) -> str:
            """Put a word of the same length for a name in backticks, so that places stay."""
            if found[1] is None:
                return found[0]
            quoted[found.start()] = found[1]
            return "_" * len(found[0])

        plain = _QUOTED.sub(blank, line)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what Python finds odd in a text
                evaluate, names = compile_condition(line, plain, quoted)
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            if isinstance(error, UsageError):
                raise
            raise UsageError(_explain(line, plain, error)) from None
        return Condition(line, names, evaluate)

    def check(self, known: Iterable[str]) -> None:
        """Refuse names that nothing goes by.

        Args:
            known: all names that a row may have.

        Raises:
            UsageError: if the condition asks for another.
        """
        names = sorted(known)
        problems = [
            f"there is no {name!r} to ask for in {self.text!r}.{_hint_name(name, names)}"
            for name in sorted(self.names.difference(names))
        ]
        if problems:
            raise UsageError("\n".join(problems))

    def matches(self, names: Mapping[str, Any]) -> bool:
        """Return whether the condition is true; False if what is missing leaves it open.

        Args:
            names: values by name; one that is not there is missing.

        Raises:
            UsageError: if values of different kinds are compared.
        """
        return self._evaluate(names) is True


def _hint_name(name: str, known: list[str]) -> str:
    odd = [other for other in known if name in re.split(r"\W+", other) and other != name]
    if odd:
        return f" Put a name like {odd[0]!r} in backticks: `{odd[0]}`."
    if hint := did_you_mean(name, [*known, *_CONSTANTS]):
        return hint
    shown = ", ".join(known[:_NUM_SHOWN]) + (", ..." if len(known) > _NUM_SHOWN else "")
    return f" Put a text in quotes, or ask for one of: {shown or 'nothing'}."


def _explain(line: str, plain: str, error: Exception) -> str:
    masked = re.sub(_STRING, lambda found: "_" * len(found[0]), plain)
    for habit, meant in _HABITS:
        if found := habit.search(masked):
            return (
                f"a condition cannot hold {found[0]!r}; got it at place {found.start() + 1} of "
                f"{line!r}. Write {meant}."
            )
    place = min(getattr(error, "offset", None) or 1, len(line))
    return (
        f"a condition must be like accuracy > 0.9 and optimizer == 'adam'; got {line!r}, which is "
        f"none from place {place} on. Put texts in quotes, and names that are no plain words in "
        "backticks."
    )


Evaluate: TypeAlias = Callable[[Mapping[str, Any]], Any]
"""From values by name to a value; None is what is missing."""


def all_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Return the `and` of three truth values: false if one is, else None if one is."""

    def evaluate(values: Mapping[str, Any]) -> bool | None:
        found = [part(values) for part in parts]
        return False if False in found else None if None in found else True

    return evaluate


def any_of(parts: Sequence[Evaluate]) -> Evaluate:
    """Return the `or` of three truth values: true if one is, else None if one is."""
    return negate(all_of([negate(part) for part in parts]))


def negate(part: Evaluate) -> Evaluate:
    """Return the `not` of a truth value; None stays None."""
    return lambda values: None if (value := part(values)) is None else not value


def strict(arguments: Callable[[Mapping[str, Any]], Sequence[Any]], function: Any) -> Evaluate:
    """Return a function that is missing where an argument or its result is."""

    def evaluate(values: Mapping[str, Any]) -> Any:
        given = arguments(values)
        if any(value is None for value in given):
            return None
        try:
            result = function(*given)
        except ArithmeticError:  # as a division by zero
            return None
        return None if result != result else result

    return evaluate


_Test: TypeAlias = Callable[[Any, Any], "bool | None"]

_NUMBER, _TEXT, _TRUTH = "a number", "a text", "true or false"

_PRECISION = 6e-8  # A number of 32 bits is as far from the one it stands for: 2**-24 of it.

_ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}

# Kind of the arguments, fewest and most of them, and what is called.
_FUNCTIONS: dict[str, tuple[str, int, int, Callable[..., Any]]] = {
    "abs": (_NUMBER, 1, 1, abs),
    "lower": (_TEXT, 1, 1, str.lower),
    "max": (_NUMBER, 2, 9, max),
    "min": (_NUMBER, 2, 9, min),
    "round": (_NUMBER, 1, 2, lambda number, digits=0: round(float(number), int(digits))),
}


def compile_condition(
    line: str, parsed: str, quoted: Mapping[int, str]
) -> tuple[Evaluate, frozenset[str]]:
    """Return the function that says whether a condition holds, and the names that it asks for.

    It returns true, false or None, given values by name, and raises a `UsageError` where
    these are not of the kinds that the condition takes.

    Args:
        line: the condition, in one line.
        parsed: the same with words of the same length for names in backticks.
        quoted: those names by their places.

    Raises:
        SyntaxError: if it is no expression of Python.
        UsageError: if the language has no such condition.
    """
    compiler = _Compiler(line, parsed, quoted)
    evaluate = compiler.compile_truth(ast.parse(parsed, mode="eval").body)
    return evaluate, frozenset(compiler.names)


class _Compiler(ast.NodeVisitor):
    """Turns the nodes of a parsed condition into functions."""

    def __init__(self, line: str, parsed: str, quoted: Mapping[int, str]) -> None:
        self.names: set[str] = set()
        self._line = line
        self._parsed = parsed.encode()
        self._quoted = quoted

    def compile_truth(self, node: ast.expr) -> Evaluate:
        evaluate: Evaluate = self.visit(node)
        return self._check_kind(evaluate, _TRUTH, node)

    def generic_visit(self, node: ast.AST) -> Any:
        raise self._refuse(node, "It takes names, values, comparisons, and, or, not, in, + - * /")

    def visit_Name(self, node: ast.Name) -> Evaluate:
        name = self._quoted.get(self._place(node), node.id)
        self.names.add(name)

        def look_up(values: Mapping[str, Any]) -> Any:
            value = values.get(name)
            return None if value != value else value  # NaN

        return look_up

    def visit_Constant(self, node: ast.Constant) -> Evaluate:
        value = node.value
        if not isinstance(value, int | float | str):  # `_compile_link` has seen to most None
            raise self._refuse(node, "Its values are numbers, texts, True and False")
        return lambda values: value

    def visit_BoolOp(self, node: ast.BoolOp) -> Evaluate:
        parts = [self.compile_truth(part) for part in node.values]
        return all_of(parts) if isinstance(node.op, ast.And) else any_of(parts)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> Evaluate:
        if isinstance(node.op, ast.Not):
            return negate(self.compile_truth(node.operand))
        if isinstance(node.op, ast.Invert):
            raise self._refuse(node, "Write not")
        operand = self._check_kind(self.visit(node.operand), _NUMBER, node.operand)
        sign = operator.neg if isinstance(node.op, ast.USub) else operator.pos
        return lambda values: None if (value := operand(values)) is None else sign(value)

    def visit_BinOp(self, node: ast.BinOp) -> Evaluate:
        if type(node.op) not in _ARITHMETIC:
            words = {ast.BitAnd: "Write and", ast.BitOr: "Write or"}
            raise self._refuse(node, words.get(type(node.op), "Only + - * / are supported"))
        left, right = (
            self._check_kind(self.visit(side), _NUMBER, side) for side in (node.left, node.right)
        )
        reckon = _ARITHMETIC[type(node.op)]
        return strict(lambda values: (left(values), right(values)), reckon)

    def visit_Call(self, node: ast.Call) -> Evaluate:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name not in _FUNCTIONS or node.keywords:
            raise self._refuse(node, f"Its functions are {', '.join(_FUNCTIONS)}")
        kind, fewest, most, function = _FUNCTIONS[name]
        if not fewest <= len(node.args) <= most:
            wanted = "1 value" if most == 1 else f"{fewest} to {most} values"
            raise self._refuse(node, f"Give {name} {wanted}")
        arguments = [self._check_kind(self.visit(arg), kind, arg) for arg in node.args]
        return strict(lambda values: tuple(each(values) for each in arguments), function)

    def visit_Compare(self, node: ast.Compare) -> Evaluate:
        operands = [node.left, *node.comparators]
        links = [
            self._compile_link(link, *sides)
            for link, *sides in zip(node.ops, operands, operands[1:], strict=False)
        ]
        return links[0] if len(links) == 1 else all_of(links)

    def _compile_link(self, link: ast.cmpop, left: ast.expr, right: ast.expr) -> Evaluate:
        if _is_none(left) or _is_none(right):
            return self._compile_missing(link, left, right)
        if isinstance(link, ast.Is | ast.IsNot):
            raise self._refuse(right, "Write == or !=, as only None is what something is")
        if isinstance(link, ast.In | ast.NotIn):
            found = self._compile_membership(left, right)
            return negate(found) if isinstance(link, ast.NotIn) else found
        return self._compile_pair(_COMPARISONS[type(link)], left, right)

    def _compile_missing(self, link: ast.cmpop, left: ast.expr, right: ast.expr) -> Evaluate:
        if not isinstance(link, ast.Is | ast.IsNot | ast.Eq | ast.NotEq):
            raise self._refuse(right, "Ask for what is missing by `is None`")
        operand = (lambda values: None) if _is_none(left) and _is_none(right) else None
        operand = operand or self.visit(right if _is_none(left) else left)
        wants_missing = isinstance(link, ast.Is | ast.Eq)
        return lambda values: (operand(values) is None) is wants_missing

    def _compile_membership(self, left: ast.expr, right: ast.expr) -> Evaluate:
        if isinstance(right, ast.List | ast.Tuple | ast.Set):
            return any_of([self._compile_pair(_equal, left, item) for item in right.elts])
        whole = self._check_kind(self.visit(right), _TEXT, right)
        part = self._check_kind(self.visit(left), _TEXT, left)
        return strict(lambda values: (whole(values), part(values)), operator.contains)

    def _compile_pair(self, test: _Test, left: ast.expr, right: ast.expr) -> Evaluate:
        """Return the comparison of two values of one kind."""
        value_of, other_of = self.visit(left), self.visit(right)

        def compare(values: Mapping[str, Any]) -> bool | None:
            value, other = value_of(values), other_of(values)
            if value is None or other is None:
                return None
            if _kind_of(value) != _kind_of(other):
                raise UsageError(
                    f"a condition must compare values of one kind; got {self._segment(left)}, "
                    f"{_kind_of(value)} ({value!r}), and {self._segment(right)}, "
                    f"{_kind_of(other)} ({other!r}), in {self._line!r}. Compare like with like."
                )
            return test(value, other)

        return compare

    def _check_kind(self, evaluate: Evaluate, kind: str, node: ast.expr) -> Evaluate:
        """Return the function with a check that its value is of a kind, or missing."""

        def checked(values: Mapping[str, Any]) -> Any:
            value = evaluate(values)
            if value is not None and _kind_of(value) != kind:
                advice = "Compare it with a value" if kind == _TRUTH else f"Give {kind}"
                raise UsageError(
                    f"{self._segment(node)!r} must be {kind} in the condition {self._line!r}; got "
                    f"{value!r}. {advice}."
                )
            return value

        return checked

    def _refuse(self, node: ast.AST, advice: str) -> UsageError:
        return UsageError(
            f"a condition cannot hold {self._segment(node)!r}; got it at place "
            f"{self._place(node) + 1} of {self._line!r}. {advice}."
        )

    def _segment(self, node: ast.AST) -> str:
        return self._line[self._place(node) : self._place(node, "end_col_offset")]

    def _place(self, node: ast.AST, offset: str = "col_offset") -> int:
        """Return the place of a node in the line, 0-based; the parser counts bytes."""
        return len(self._parsed[: getattr(node, offset)].decode())


def _is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _kind_of(value: Any) -> str:
    if isinstance(value, bool | np.bool_):
        return _TRUTH
    if isinstance(value, Real):
        return _NUMBER
    return _TEXT if isinstance(value, str) else f"a {type(value).__name__}"


def _equal(value: Any, other: Any) -> bool:
    if isinstance(value, float) or isinstance(other, float):
        with contextlib.suppress(OverflowError):  # of an integer that no float comes near
            return math.isclose(value, other, rel_tol=_PRECISION)
    return bool(value == other)


_COMPARISONS: dict[type[ast.cmpop], _Test] = {
    ast.Eq: _equal,
    ast.NotEq: lambda value, other: not _equal(value, other),
    ast.Lt: lambda value, other: value < other and not _equal(value, other),
    ast.LtE: lambda value, other: value < other or _equal(value, other),
    ast.Gt: lambda value, other: value > other and not _equal(value, other),
    ast.GtE: lambda value, other: value > other or _equal(value, other),
}
