"""`hparams_lab dashboard`: TensorBoard on the runs that are selected, while they change."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence

from absl import flags

from hparams_lab.analysis.trials.selection import read_logged
from hparams_lab.analysis.where import Condition
from hparams_lab.cli.flags.selection import define_selection, keep_rows, select_sweeps
from hparams_lab.cli.inputs.find import find_logged
from hparams_lab.cli.logdir import define_logdir, logdir_of
from hparams_lab.cli.output.tables import make_console
from hparams_lab.dashboard.links import make_links
from hparams_lab.dashboard.view.view import DEFAULT_MAX_RUNS, View, open_view
from hparams_lab.errors import HParamsLabError, UnknownExperimentError, UsageError
from hparams_lab.events.read.reader import read_runs
from hparams_lab.logdir.layout import ExperimentDir, SweepDir, find_experiments
from hparams_lab.logdir.mounts import in_terms_of_urls
from hparams_lab.text import count


def define_flags(values: flags.FlagValues) -> None:
    define_logdir(values)
    define_selection(values)
    flags.DEFINE_integer(
        "top", None, "how many trials of each experiment, the best ones", flag_values=values
    )
    flags.DEFINE_integer(
        "max_runs",
        DEFAULT_MAX_RUNS,
        "how many runs, of the newest trials; 0 for all, of which TensorBoard then selects none",
        flag_values=values,
    )
    flags.DEFINE_integer(
        "port", None, "to listen on; by default the first free one from 6006", flag_values=values
    )
    flags.DEFINE_string(
        "host", "127.0.0.1", "to listen on; 0.0.0.0 for the whole network", flag_values=values
    )


def run(values: flags.FlagValues, words: list[str]) -> int:
    # TensorBoard's web server takes a while to import; other commands do without.
    from hparams_lab.dashboard.serve.server import check_address, serving

    _check(values)
    check_address(values.host, values.port)
    logdir = logdir_of(values, follows=True)
    names = [find_logged(logdir, word).name for word in words]
    if not names and not find_experiments(logdir):
        raise UnknownExperimentError(f"nothing is logged in {logdir}. Run: hparams_lab run NAME")
    choose = _Chooser(values)
    with contextlib.suppress(KeyboardInterrupt), contextlib.ExitStack() as stack:
        view = stack.enter_context(
            open_view(logdir, names, choose=choose, max_runs=values.max_runs, warn=_warn)
        )
        if not view.runs and choose.problems:
            raise choose.problems[0]
        if not view.runs:
            _warn("no run is selected yet; those that come are shown.")
        url = stack.enter_context(serving(view, host=values.host, port=values.port, warn=_warn))
        console = make_console()
        for line in _describe(view, url):
            console.print(line)
        _look_through(view)
        threading.Event().wait()
    return 0


def _look_through(view: View) -> None:
    """Read what is shown, which warns of damaged files; TensorBoard does not."""
    sweeps = {SweepDir(run.home.path / run.sweep.id): run.sweep for run in view.runs}
    for sweep_dir, sweep in sweeps.items():
        read_runs(sweep_dir, sweep.space)


def _check(values: flags.FlagValues) -> None:
    if values.top is not None and values.top < 1:
        raise UsageError(f"--top must be at least 1; got {values.top}. Raise it.")
    if values.max_runs < 0:
        raise UsageError(
            f"--max_runs must be at least 0; got {values.max_runs}. Say 0 for all of them."
        )
    for text in values.where:
        Condition.parse(text)


def _warn(sentence: str) -> None:
    print(f"hparams_lab: {in_terms_of_urls(sentence)}", file=sys.stderr, flush=True)


class _Chooser:
    """Chooses sweeps and trials as the flags say, anew each time it is asked.

    Attributes:
        problems: why it chose nothing of an experiment, the last time for each.
    """

    def __init__(self, values: flags.FlagValues) -> None:
        self._values = values
        self._problems: dict[ExperimentDir, HParamsLabError] = {}

    @property
    def problems(self) -> list[HParamsLabError]:
        return [*self._problems.values()]

    def __call__(
        self, home: ExperimentDir, sweep_dirs: Sequence[SweepDir]
    ) -> Mapping[SweepDir, Collection[str] | None]:
        self._problems.pop(home, None)
        if not sweep_dirs:
            return {}
        try:
            chosen = select_sweeps(self._values, home, default="all")
            return self._choose_trials(home, [each for each in chosen if each in sweep_dirs])
        except (UnknownExperimentError, UsageError) as error:  # another may have what is asked for
            self._problems[home] = error
            return {}

    def _choose_trials(
        self, home: ExperimentDir, sweep_dirs: Sequence[SweepDir]
    ) -> Mapping[SweepDir, Collection[str] | None]:
        if not sweep_dirs or not (self._values.where or self._values.top):
            return dict.fromkeys(sweep_dirs)
        rows = keep_rows(self._values, read_logged(home, sweep_dirs).rows)[: self._values.top]
        trial_ids: dict[str, set[str]] = {}
        for row in rows:
            trial_ids.setdefault(row.sweep_id, set()).add(row.trial_id)
        return {each: trial_ids.get(each.id, set()) for each in sweep_dirs}


def _describe(view: View, url: str) -> Iterator[str]:
    """Yield what the user wants to know of a dashboard that is served."""
    names = ", ".join(dict.fromkeys(run.home.name for run in view.runs)) or "no run yet"
    yield f"{names}: {url}#hparams"
    for title, link in make_links(url, view.runs).items():
        yield f"{title}: {link}"
    yield f"For %tensorboard --logdir, while this goes on: {view.path}"
    if view.num_left_out:
        yield (
            f"{count(view.num_left_out, 'older run')} left out: --max_runs=0 shows all, but "
            "TensorBoard then selects none by itself; --top=50 shows the best trials"
        )
    yield "Ctrl-C ends it."
