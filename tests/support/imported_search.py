"""What there is to see of an imported search: TensorBoard's view, and ours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hparams_lab.analysis.trials.rows import TrialRow, rank_trials
from hparams_lab.events.read.reader import RunRecord, read_runs
from hparams_lab.logdir.layout import SweepDir
from hparams_lab.runs.sweep import Sweep
from tests.support.oracle import Board, read_board


@dataclass(frozen=True)
class Logged:
    """A sweep as all readers have it.

    Attributes:
        sweep: as `sweep.json` describes it.
        runs: as our reader has them.
        rows: its trials, best first.
        board: as TensorBoard shows its experiment.
    """

    sweep: Sweep
    runs: Sequence[RunRecord]
    rows: Sequence[TrialRow]
    board: Board

    def column(self, tag: str) -> list[float]:
        """The cells of a metric column of the dashboard, by Trial ID."""
        return [value for _, value in sorted(self.board.column(tag).items())]

    def hparam(self, name: str) -> list[object]:
        """The values of an hparam in the dashboard, by Trial ID; None where there is none."""
        return [self.board.values(each).get(name) for each in self.board.trial_ids]


def read_logged(path: Path) -> Logged:
    """Return what there is to see of the sweep in a directory."""
    sweep_dir = SweepDir(path)
    sweep = Sweep.read(sweep_dir)
    runs = read_runs(sweep_dir, sweep.space)
    return Logged(sweep, runs, rank_trials(runs, [sweep]), read_board(path.parent))
