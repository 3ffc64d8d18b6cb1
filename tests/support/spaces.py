"""Search spaces to test with: named examples, and hypothesis strategies of random ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    HParam,
    IntInterval,
    RealInterval,
)

from hparams_lab.declare.axis import Axis
from hparams_lab.declare.rules import MAX_EXACT_INT, RESERVED_NAMES
from hparams_lab.declare.space import SearchSpace

EXAMPLES = {
    "tutorial": SearchSpace(
        [
            HParam("num_units", Discrete([16, 32])),
            HParam("dropout", RealInterval(0.1, 0.2)),
            HParam("optimizer", Discrete(["sgd", "adam"])),
        ]
    ),
    "log": SearchSpace([Axis(HParam("rate", RealInterval(1e-4, 1.0)), scale="log", grid_points=5)]),
    "one_point": SearchSpace([HParam("only", Discrete([True]))]),
    "condition": SearchSpace(
        [
            HParam("layers", Discrete([1, 2])),
            Axis(HParam("second", Discrete([8, 16])), when={"layers": 2}),
            HParam("seed", IntInterval(0, 1)),
        ]
    ),
    "condition_on_condition": SearchSpace(
        [
            HParam("model", Discrete(["linear", "net", "tree"])),
            Axis(HParam("layers", IntInterval(1, 3)), when={"model": "net"}, step=1),
            Axis(HParam("second", Discrete([8, 16])), when={"layers": [2, 3]}),
            Axis(HParam("depth", Discrete([2, 4, 6])), when={"model": "tree"}),
        ]
    ),
}

HUGE = SearchSpace(
    Axis(HParam(name, RealInterval(0.0, 1.0)), grid_points=1000) for name in ("x", "y", "z")
)

_NAMES = st.text(
    st.characters(codec="utf-8", exclude_characters="=", exclude_categories=["C"]),
    min_size=1,
    max_size=6,
).filter(lambda name: name == name.strip() and name not in RESERVED_NAMES)

_STRINGS = st.text(st.characters(codec="utf-8"), max_size=4)
_INTS = st.integers(-MAX_EXACT_INT, MAX_EXACT_INT)
_FLOATS = st.floats(allow_nan=False, allow_infinity=False)


def _listed(values: st.SearchStrategy[Any], max_size: int = 4) -> st.SearchStrategy[list[Any]]:
    return st.lists(values, min_size=1, max_size=max_size, unique=True)


def discretes() -> st.SearchStrategy[Discrete]:
    """Return `Discrete` domains of each type, of one to four values."""
    kinds = (st.booleans(), _INTS, _FLOATS, _STRINGS)
    return st.one_of(*(_listed(values, 2 if values is kinds[0] else 4) for values in kinds)).map(
        Discrete
    )


@st.composite
def int_axes(draw: st.DrawFn, name: str, when: Any = None) -> Axis:
    """Return an integer axis with its two ends, or another kind of grid."""
    low = draw(st.integers(-1000, 1000))
    high = low + draw(st.integers(0, 100))
    hparam = HParam(name, IntInterval(low, high))
    grids: list[dict[str, Any]] = [
        {},
        {"step": draw(st.integers(max(1, (high - low) // 4), 200))},
        {"grid_points": draw(st.integers(2, 5))},
        {"grid": draw(_listed(st.integers(low, high)))},
    ]
    if low > 0:
        grids.append({"scale": "log", "grid_points": draw(st.integers(2, 5))})
    return Axis(hparam, when=when, **draw(st.sampled_from(grids)))


@st.composite
def real_axes(draw: st.DrawFn, name: str, when: Any = None) -> Axis:
    """Return a real axis with its two ends, or another kind of grid."""
    low = draw(st.floats(-1e6, 1e6))
    width = draw(st.floats(1e-3, 1e6))
    hparam = HParam(name, RealInterval(low, low + width))
    grids: list[dict[str, Any]] = [
        {},
        {"step": width / draw(st.floats(0.5, 4.0))},
        {"grid_points": draw(st.integers(2, 5))},
        {"grid": draw(_listed(st.floats(low, low + width)))},
    ]
    if low > 1e-6:
        grids.append({"scale": "log", "grid_points": draw(st.integers(2, 5))})
    return Axis(hparam, when=when, **draw(st.sampled_from(grids)))


def axes(name: str, when: Any = None) -> st.SearchStrategy[Axis]:
    """Return axes of each kind of domain and of grid, of at most five levels."""
    discrete = st.builds(lambda domain: Axis(HParam(name, domain), when=when), discretes())
    return st.one_of(discrete, int_axes(name, when), real_axes(name, when))


@st.composite
def conditions(draw: st.DrawFn, earlier: Sequence[Axis]) -> dict[str, list[Any]]:
    """Return conditions on one or two axes, which may be conditional themselves."""
    parents = draw(st.lists(st.sampled_from(earlier), min_size=1, max_size=2, unique_by=id))
    return {
        parent.name: draw(
            st.lists(st.sampled_from(list(parent.levels)), min_size=1, max_size=2, unique=True)
        )
        for parent in parents
    }


@st.composite
def small_spaces(draw: st.DrawFn, *, conditional: bool = True) -> SearchSpace:
    """Return spaces of one to four axes, so of at most 625 points, conditional ones or not."""
    names = draw(st.lists(_NAMES, min_size=1, max_size=4, unique=True))
    found: list[Axis] = []
    for name in names:
        depends = conditional and found and draw(st.booleans())
        found.append(draw(axes(name, draw(conditions(found)) if depends else None)))
    return SearchSpace(found)
