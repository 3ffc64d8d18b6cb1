"""Runs on machines that share no disk with the driver: written there, and sent to its URL.

    driver ── RemoteRun ──▶ node: a folder of the run's own ── upload ──▶ URL ◀── fetch ── driver

What a run's process had not sent when it was killed is lost: what it wrote since the last
upload, so that of its event file a prefix is left, as of any killed run's.
"""

from __future__ import annotations

import contextlib
import math
import shutil
import sys
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from hparams_lab.errors import LogdirError
from hparams_lab.events.schema import Ending
from hparams_lab.executors.base import Answer, Executor, Finished, Job, Setup, Workload
from hparams_lab.logdir.mounts import Mount
from hparams_lab.remote.filesystem import preload
from hparams_lab.remote.mirror import Mirror
from hparams_lab.remote.retry import patiently
from hparams_lab.remote.store import Store
from hparams_lab.remote.ticker import Ticker
from hparams_lab.remote.url import read_upload_secs
from hparams_lab.remote.writers import is_free
from hparams_lab.runs.run import RunSpec
from hparams_lab.sweeps import worker
from hparams_lab.sweeps.worker import Loaded, Outcome

_PREFIX = "hparams_lab-spool-"

# The driver's folders are not on the nodes; this one is everywhere that Ray is.
_OUTPUT_DIR = Path("/tmp")

# How long a run that has ended tries to send what it wrote.
_PATIENCE_SECS = 60.0


@dataclass(frozen=True)
class RemoteRun:
    """A run that is to be executed somewhere else."""

    spec: RunSpec  # with the driver's paths
    root: Path  # of those paths: the driver's mirror
    url: str  # that it mirrors
    upload_secs: float  # how often what is written is to be sent
    output_file: Path  # takes what the run prints, on the node


class SpoolingExecutor(Executor):
    """An executor whose jobs run where the driver's disk is not.

    Args:
        make: given a workload, returns the executor of those machines.
        workload: of an executor of `worker.execute`.
        mount: of the log directory that all of them write to.
    """

    def __init__(
        self, make: Callable[[Workload], Executor], workload: Workload, mount: Mount
    ) -> None:
        setup = partial(_set_up, workload.setup, mount.url)
        self._inner = make(replace(workload, setup=setup, work=execute_remotely))
        self._mount = mount
        self._upload_secs = read_upload_secs()
        mount.is_written_by_nodes = True
        super().__init__(self._inner.num_workers)

    def start(self) -> None:
        """Begin to set up."""
        self._inner.start()
        self._take_over()

    def ready(self) -> None:
        """Return once that is done."""
        self._inner.ready()
        self._take_over()

    def _take_over(self) -> None:
        """Know what the executor knows of itself once it has begun."""
        self.num_workers = self._inner.num_workers
        self.notice = self._inner.notice

    def submit(self, job: Job) -> None:
        """Begin a job, whose argument is a `RunSpec`, as an remote_run."""
        output_file = _OUTPUT_DIR / f"{_PREFIX}{uuid.uuid4().hex}.log"
        remote_run = RemoteRun(
            job.argument, self._mount.root, self._mount.url, self._upload_secs, output_file
        )
        self._inner.submit(replace(job, argument=remote_run, output_file=output_file))

    def wait(self, answer: Answer, timeout_secs: float = math.inf) -> Finished | None:
        """Return the next job to end."""
        return self._inner.wait(answer, timeout_secs)

    def stop(self, grace_secs: float) -> list[Finished]:
        """End the unfinished jobs and return them."""
        return self._inner.stop(grace_secs)

    def close(self) -> None:
        """Give back what `start` took."""
        self._inner.close()


def _set_up(setup: Setup, url: str) -> Any:
    """Import what runs need to reach a URL, once for all that are forked from here."""
    preload(url)
    return setup()


def execute_remotely(loaded: Loaded, remote_run: RemoteRun, ask: Callable[[Any], Any]) -> Outcome:
    """Execute a run in a folder of its own, and send what it writes.

    Args:
        loaded: the experiment and its data.
        remote_run: what is run, and where it is sent.
        ask: as for `worker.execute`.

    Returns:
        How it ended. One whose files cannot be sent is interrupted: it is made again when
        the sweep is resumed.

    Raises:
        KeyboardInterrupt: as train was interrupted; the end is written, and sent.
    """
    try:
        with _spooling(remote_run) as spec:
            return worker.execute(loaded, spec, ask)
    except LogdirError as error:
        return Outcome(Ending.INTERRUPTED, reason=str(error), storage_fault=str(error))


@contextlib.contextmanager
def _spooling(remote_run: RemoteRun) -> Iterator[RunSpec]:
    """Give a run a folder here, and send what is in it: at every interval, and in the end."""
    _remove_dead()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    mirror = Mirror(Store(remote_run.url), folder)
    mirror.sessions.enter()
    try:
        spec = _relocate(remote_run, mirror)
        _fetch_earlier(spec, mirror)
        spec.dir.path.mkdir(parents=True)
        spec.dir.output_file.symlink_to(remote_run.output_file)
        mirror.watch_removals()
        ticker = Ticker(mirror.push, remote_run.upload_secs, warn=_warn, name="upload")
        patience_secs = 0.0  # one that is interrupted has seconds to live
        try:
            yield spec
            patience_secs = _PATIENCE_SECS
        finally:
            ticker.stop()
            sys.stdout.flush()
            sys.stderr.flush()
            patiently(mirror.push, patience_secs)
    finally:
        mirror.sessions.leave()
        shutil.rmtree(folder, ignore_errors=True)
        remote_run.output_file.unlink(missing_ok=True)


def _relocate(remote_run: RemoteRun, mirror: Mirror) -> RunSpec:
    run_dir = remote_run.spec.dir
    path = mirror.root / run_dir.path.relative_to(remote_run.root)
    return replace(remote_run.spec, dir=replace(run_dir, path=path))


def _fetch_earlier(spec: RunSpec, mirror: Mirror) -> None:
    """Get what earlier attempts have saved, from which training may go on."""
    for run_dir in spec.dir.earlier_attempts:
        mirror.pull(mirror.name_of(run_dir.path))


def _remove_dead() -> None:
    """Remove the folders of runs here that were killed."""
    for folder in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/"):
        with contextlib.suppress(OSError):  # another user's
            if is_free(folder):
                for link in filter(Path.is_symlink, folder.glob("tree/**/*.log")):
                    link.readlink().unlink(missing_ok=True)
                shutil.rmtree(folder, ignore_errors=True)


def _warn(sentence: str) -> None:
    warnings.warn(sentence, stacklevel=2)
