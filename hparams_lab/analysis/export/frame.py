"""Runs and their curves as pandas frames.

Integers are `Int64` and bools `boolean`, so that a column keeps its type where a value is
missing; metrics are `float64`, in which a missing one is NaN; times are in UTC. A column
of several types holds each value as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hparams_lab.analysis.export.table import list_runs
from hparams_lab.analysis.trials.facts import RUN_NAMES, list_facts
from hparams_lab.errors import UsageError
from hparams_lab.events.read.reader import RunRecord
from hparams_lab.runs.sweep import Sweep

if TYPE_CHECKING:
    import pandas

_TIME = "datetime64[us, UTC]"
_DTYPES: Mapping[type | None, str] = {
    bool: "boolean",
    int: "Int64",
    float: "float64",
    str: "str",
    datetime: _TIME,
}


def to_pandas(
    records: Sequence[RunRecord], sweeps: Mapping[Path, Sweep] | None = None
) -> pandas.DataFrame:
    """Return a frame with a row for each run, in the order given.

    Its columns are those of `sheet.list_runs`: what is known of the run (experiment, sweep,
    trial, run, status, start, end, secs, seed, path and more), its hyperparameters by
    name, the last value of each metric by tag, and `best/METRIC` of the objective. Where a
    hyperparameter has the name of another column, that is `metric/NAME` or `run/NAME`.

    Args:
        records: of runs.
        sweeps: that they are of, by directory; None if there are none.

    Raises:
        UsageError: if pandas is not installed.
    """
    pandas = _import_pandas()
    sheet = list_runs(records, sweeps or {})
    columns = {
        name: pandas.Series(values, dtype=_DTYPES.get(sheet.type_of(name), "object"))
        for name, values in sheet.columns.items()
    }
    return pandas.DataFrame(columns, index=range(sheet.num_rows))


def curves_to_pandas(records: Sequence[RunRecord]) -> pandas.DataFrame:
    """Return a frame with a row for each point of each curve, in the order written.

    Its columns are experiment, sweep, trial, run and tag, all of them categories, then
    step, wall_time and value. The first four name the row of `to_pandas` it is of.

    Args:
        records: of runs, whose event files are read.

    Raises:
        UsageError: if pandas is not installed.
    """
    pandas = _import_pandas()
    curves = [
        ((*list_facts(RUN_NAMES, record).values(), tag), series)
        for record in records
        for tag, series in record.curves.items()
    ]
    lengths = [len(series.values) for _, series in curves]
    columns = {}
    for place, name in enumerate((*RUN_NAMES, "tag")):
        codes, names = pandas.factorize(
            pandas.Series([keys[place] for keys, _ in curves], dtype="str")
        )
        columns[name] = pandas.Categorical.from_codes(codes.repeat(lengths), names)
    secs = [secs for _, series in curves for secs in series.wall_times]
    columns["step"] = pandas.Series(
        [step for _, series in curves for step in series.steps], dtype="int64"
    )
    columns["wall_time"] = pandas.to_datetime(
        pandas.Series(secs, dtype="float64"), unit="s", utc=True, errors="coerce"
    ).astype(_TIME)
    columns["value"] = pandas.Series(
        [value for _, series in curves for value in series.values], dtype="float64"
    )
    return pandas.DataFrame(columns)


def _import_pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise UsageError(
            "a frame needs pandas, which is not installed. Run: pip install 'hparams_lab[frames]'"
        ) from error
    return pandas
