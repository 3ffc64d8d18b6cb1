from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.analysis.export.frame import curves_to_pandas, to_pandas
from hparams_lab.errors import UsageError
from hparams_lab.events.foreign.reader import read_foreign
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.logdir.layout import ExperimentDir
from hparams_lab.runs.sweep import Sweep
from tests.support.factories import add_sweep, make_spec, make_sweep, write_run

FOREIGN = Path(__file__).parents[2] / "events" / "data"

Logged = tuple[list[RunRecord], dict[Path, Sweep]]

pandas = pytest.importorskip("pandas")


@pytest.fixture
def logged(tmp_path: Path) -> Logged:
    """Two runs of a sweep, the second without an accuracy."""
    sweep = make_sweep()
    sweep_dir = add_sweep(ExperimentDir(tmp_path / "toy"), sweep)
    first = make_spec(sweep_dir, {"units": 8, "rate": 0.1})
    write_run(first, {"accuracy": [0.25, 0.75, 0.5], "loss": [1.0]})
    write_run(make_spec(sweep_dir, {"units": 16, "rate": 0.5}, index=1), {"loss": [2.0]})
    return read_runs(sweep_dir, sweep.space), {sweep_dir.path: sweep}


def test_a_frame_has_a_row_for_each_run(logged: Logged) -> None:
    """Values, last metrics and the best of the objective stand beside the ids."""
    frame = to_pandas(*logged)

    assert [8, 16] == frame["units"].tolist()
    assert (0.5, 0.75) == (frame["accuracy"][0], frame["best/accuracy"][0])
    assert [str(record.dir.path) for record in logged[0]] == frame["path"].tolist()


@pytest.mark.parametrize(
    ("column", "dtype"),
    [
        ("units", "Int64"),
        ("rate", "float64"),
        ("accuracy", "float64"),
        ("seed", "Int64"),
        ("fold", "Int64"),
        ("start", "datetime64[us, UTC]"),
        ("secs", "float64"),
    ],
)
def test_columns_have_types(column: str, dtype: str, logged: Logged) -> None:
    """Integers may be missing, times know their zone, metrics are plain floats."""
    assert dtype == str(to_pandas(*logged)[column].dtype)


def test_columns_have_types_without_rows() -> None:
    """An empty frame has columns of the same types."""
    frame = to_pandas([])

    assert ("Int64", "datetime64[us, UTC]") == (str(frame["seed"].dtype), str(frame["end"].dtype))
    assert frame.empty


def test_missing_metrics_are_nan(logged: Logged) -> None:
    """A run that never wrote a metric has NaN there."""
    assert [False, True] == to_pandas(*logged)["accuracy"].isna().tolist()


def test_curves_have_a_row_for_each_point(logged: Logged) -> None:
    """Every point of every tag, in the order written, with whose it is."""
    frame = curves_to_pandas(logged[0])
    curve = frame[(frame["tag"] == "accuracy")]

    assert 5 == len(frame)
    assert [(0, 0.25), (1, 0.75), (2, 0.5)] == [*zip(curve["step"], curve["value"], strict=True)]
    assert "datetime64[us, UTC]" == str(frame["wall_time"].dtype)


def test_curves_merge_with_runs(logged: Logged) -> None:
    """The ids of a point are those of its run's row."""
    keys = ["experiment", "sweep", "trial", "run"]
    merged = curves_to_pandas(logged[0]).merge(to_pandas(*logged)[[*keys, "units"]], on=keys)

    assert [8, 8, 8, 8, 16] == merged["units"].tolist()


def test_no_curves_make_an_empty_frame() -> None:
    """Without a run there is no point, but the columns are there."""
    frame = curves_to_pandas([])

    assert ["tag", "step", "wall_time", "value"] == [*frame.columns][-4:]
    assert frame.empty


def test_runs_of_other_tools_have_frames() -> None:
    """Mixed layouts in one directory make one frame, with bools that may be missing."""
    records = read_foreign(FOREIGN)
    frame = to_pandas(records)

    assert len(records) == len(frame)
    assert "boolean" == str(frame["net/bias"].dtype)
    assert sum(map(len, (r.curves[t].values for r in records for t in r.curves))) == len(
        curves_to_pandas(records)
    )


@pytest.mark.parametrize("make", [to_pandas, curves_to_pandas])
def test_frames_without_pandas_say_what_to_install(
    make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where pandas is missing, one sentence names the extra."""
    real_import = builtins.__import__

    def refuse(name: str, *rest: Any) -> Any:
        if name == "pandas":
            raise ImportError(name)
        return real_import(name, *rest)

    monkeypatch.delitem(sys.modules, "pandas")
    monkeypatch.setattr(builtins, "__import__", refuse)

    with pytest.raises(UsageError, match=r"hparams_lab\[frames\]"):
        make([])
