"""Training a trial again, on all data, and keeping the model.

A refit is a product, no result: it writes no event file, so that TensorBoard averages
nothing of it into the trial. What it measured stands in its model card.
"""

from __future__ import annotations

import contextlib
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from hparams_lab.analysis.trials.pick import Pick
from hparams_lab.declare.source import ExperimentSource
from hparams_lab.errors import LogdirError, UsageError
from hparams_lab.logdir.layout import RefitDir, RunDir
from hparams_lab.refit.model_card import ModelCard, format_card
from hparams_lab.runs.provenance import Provenance, collect_provenance, find_root
from hparams_lab.runs.run import Run, RunSpec
from hparams_lab.runs.sources import find_sources
from hparams_lab.runs.sweep import Sweep
from hparams_lab.runs.trial import Trial, index_of
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.worker import Loaded
from hparams_lab.tf_noise import quiet_stderr

if TYPE_CHECKING:
    from hparams_lab.keras.save import Saved


@dataclass(frozen=True, kw_only=True)
class RefitOptions:
    """How a trial is to be trained again."""

    output: RefitDir  # where the model goes
    overwrite: bool  # whether an earlier refit there is replaced
    seed: int  # of the training, in [0, 2**31)
    command: Sequence[str] = ()  # the words of the command line, for the record
    repeating: str = ""  # the command that does all this again

    def check(self) -> None:
        """Refuse what cannot be, before anything is trained.

        Raises:
            UsageError: if the seed is out of range, or something is in the way.
        """
        if not 0 <= self.seed < 2**31:
            raise UsageError(f"--seed must lie in [0, 2**31); got {self.seed}. Choose another.")
        path = self.output.path
        is_free = not path.exists() or (path.is_dir() and not any(path.iterdir()))
        if not is_free and not self.output.is_complete:
            raise UsageError(
                f"the output must be a folder for the model alone; got {path}, which holds "
                "something else. Name a new one with --output."
            )
        if not is_free and not self.overwrite:
            raise UsageError(
                f"there is a refit in {path}. Add --overwrite, or name another folder with "
                "--output."
            )


@dataclass(frozen=True)
class Refit:
    """What came of a refit."""

    output: RefitDir  # where the model is
    failure: str  # why training failed, in one line; empty if it did not
    values: Mapping[str, float]  # last value of each tag
    saved: Saved | None  # the files, None if training failed
    wall_secs: float  # how long training took, in seconds


def refit(
    source: ExperimentSource,
    pick: Pick,
    options: RefitOptions,
    *,
    on_notice: Callable[[str], None],
    now: Callable[[], datetime] = datetime.now,
) -> Refit:
    """Train a trial again on all data, save the model, and load it back to see that it is whole.

    The directory is there at once with all files, or not at all.

    Args:
        source: of the experiment.
        pick: the trial.
        options: where to, and how.
        on_notice: called, before training begins, with each thing that the user should know.
        now: the local time.

    Raises:
        HParamsLabError: if something is wrong with the declaration, the data, the options
            or the log directory, if `train` trains no Keras model or one that diverges,
            or if the model does not come back as it was.
        KeyboardInterrupt: on Ctrl-C; nothing is left behind.
    """
    _check_sweep(pick.sweep)
    options.check()
    with quiet_stderr():
        loaded = worker.load(source)
        _find_devices()
    _check_name(pick.sweep, source, loaded)
    sources = find_sources(source.path, find_root(source.path))
    provenance = collect_provenance(options.command, sources)
    notices = list(filter(None, [_compare_code(pick.sweep, provenance)]))
    for notice in notices:
        on_notice(notice)
    with _drafting(options.output) as draft:
        spec = _specify(pick, provenance, options.seed, draft)
        began = time.monotonic()
        run = Run(spec, loaded.data, objective=loaded.experiment.objective, sink=_NoRecord())
        failure = worker.train(loaded.experiment, run, spec.dir)
        wall_secs = time.monotonic() - began
        if failure:
            _keep_failure(spec.dir, options.output, failure)
            return Refit(options.output, failure, run.last_values, None, wall_secs)
        for folder in spec.dir.checkpoint_dirs:  # train has loaded of them what it wants
            shutil.rmtree(folder)
        saved = _save(run, loaded, source, draft)
        card = ModelCard(
            question=source.read_outline().question,
            pick=pick,
            made=now().astimezone().isoformat(timespec="seconds"),
            seed=options.seed,
            trained_on=_describe_rows(run),
            data_digest=loaded.data_digest,
            values=run.last_values,
            provenance=provenance,
            notices=[*notices, *saved.left_out],
            files=[*saved.files, saved.check],
            loading=saved.loading,
            repeating=options.repeating,
        )
        draft.card_file.write_text(format_card(card), "utf-8", "backslashreplace")
    return Refit(options.output, "", run.last_values, saved, wall_secs)


@contextlib.contextmanager
def _drafting(output: RefitDir) -> Iterator[RefitDir]:
    """Yield a directory beside the output, which takes its place at the end if it has a card.

    Raises:
        LogdirError: if something cannot be written.
    """
    path = output.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{path.name}-", dir=path.parent) as aside:
            draft = RefitDir(Path(aside) / path.name)
            draft.path.mkdir()
            yield draft
            if draft.card_file.exists():
                if path.exists():
                    path.rename(Path(aside) / "before")  # and goes with it
                draft.path.rename(path)
                output.failure_file.unlink(missing_ok=True)
    except LogdirError:
        raise
    except OSError as error:
        raise LogdirError(f"cannot write to {path.parent}: {error}. Make room.") from error


def _check_sweep(sweep: Sweep) -> None:
    if not sweep.source:
        raise UsageError(
            f"sweep {sweep.id} of {sweep.experiment!r} was not run from an experiment's "
            "file, so there is no train function to call again. Refit where it was made."
        )


def _find_devices() -> None:
    """Let TensorFlow look for a GPU now, as it complains where there is none."""
    if (tensorflow := sys.modules.get("tensorflow")) is not None:
        tensorflow.config.list_physical_devices()


def _check_name(sweep: Sweep, source: ExperimentSource, loaded: Loaded) -> None:
    if loaded.experiment.name != sweep.experiment:
        raise UsageError(
            f"{source} must be the sweep's experiment {sweep.experiment!r}; it declares "
            f"{loaded.experiment.name!r}. Give the file that the sweep was of."
        )


def _compare_code(sweep: Sweep, provenance: Provenance) -> str:
    """Return what the user should know of other code than the sweep's; empty if nothing."""
    if not sweep.code_digests.isdisjoint({"", provenance.code_digest}):
        return ""
    commits = (sweep.commit_label, provenance.commit_label)
    change = "" if len(set(commits)) == 1 else f" (commit {commits[0]} then, {commits[1]} now)"
    return f"the code has changed since the sweep{change}: the model is of the new"


def _specify(pick: Pick, provenance: Provenance, seed: int, draft: RefitDir) -> RunSpec:
    """Return the run: the trial's first one, on all rows, with nothing to judge it."""
    trial = Trial(pick.row.trial_id, index_of(pick.row.trial_id), pick.row.assignment)
    first = pick.sweep.specify_runs(trial, pick.sweep_dir)[0]
    return replace(
        first,
        dir=RunDir(draft.path, first.dir.repeat, first.dir.fold),
        seed=seed,
        commit=provenance.commit_label,
        prunes=False,
        refit=True,
    )


class _NoRecord:
    """Keeps no series: the run has the last values, which are all that the card says."""

    def write_scalar(self, tag: str, value: float, step: int) -> None:
        """Do nothing."""


def _keep_failure(run_dir: RunDir, output: RefitDir, failure: str) -> None:
    """Keep why training failed, where the draft will be gone."""
    if run_dir.failure_file.exists():
        shutil.move(run_dir.failure_file, output.failure_file)
    else:
        output.failure_file.write_text(f"{failure}\n", "utf-8", "backslashreplace")


def _save(run: Run, loaded: Loaded, source: ExperimentSource, draft: RefitDir) -> Saved:
    if run.model is None:
        raise UsageError(
            f"train of experiment {loaded.experiment.name!r} must train a Keras model for a refit "
            "to save; it trained none. Call lab.keras.fit, or pass run.callbacks() to fit."
        )
    weights = [array for array in run.model.get_weights() if array.dtype.kind == "f"]
    if not all(np.isfinite(array).all() for array in weights):
        raise UsageError(
            "training must leave finite weights to save; it diverged. Try another --seed, or "
            "another trial."
        )
    # Imports Keras, which train has done by now.
    from hparams_lab.keras.save import save_model

    return save_model(
        run.model,
        draft,
        inputs=[*run.trained_on[:1], *_list_arrays(loaded.data)],
        own=_list_own(loaded.experiment.train),
        module=source.module or source.path.stem,
    )


def _list_own(train: Callable[..., Any]) -> dict[str, Any]:
    """Return the classes and functions that a train function knows, by name."""
    known = getattr(train, "__globals__", {})
    return {name: it for name, it in known.items() if isinstance(it, type | FunctionType)}


def _list_arrays(data: Any) -> Iterator[Any]:
    """Yield the arrays in nested data, in order."""
    if isinstance(data, Mapping):
        data = list(data.values())
    if isinstance(data, list | tuple):
        for item in data:
            yield from _list_arrays(item)
    elif getattr(data, "shape", ()):
        yield data


def _describe_rows(run: Run) -> list[str]:
    """Return what a refit was trained on, one line each."""
    if run.trained_on:
        x, y = run.trained_on
        return [f"all rows, as run.split or run.subset gave them: {_shape(x)}", f"y: {_shape(y)}"]
    arrays = ", ".join(map(_shape, _list_arrays(run.data)))
    return [f"what train took of the data, as it asked neither split nor subset: {arrays or '-'}"]


def _shape(array: Any) -> str:
    if not hasattr(array, "shape"):
        return f"{len(array)} rows"
    dtype = getattr(array, "dtype", None)
    return f"{tuple(array.shape)}{f' {dtype}' if dtype is not None else ''}"
