"""Sweeps of real experiments on Ray clusters, whose nodes and drivers are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from hparams_lab.declare.source import ExperimentSource
from hparams_lab.events.schema import Ending
from hparams_lab.sweeps.launch import launch
from hparams_lab.sweeps.listeners import Listeners, RunResult
from hparams_lab.sweeps.options import LaunchOptions, make_options
from hparams_lab.testing.executors import is_alive, wait_until
from tests.conftest import WriteModule
from tests.support.program import (
    KILL_EXPERIMENTS,
    TIMEOUT_SECS,
    assert_true_ends,
    find_begun,
    find_processes,
    find_sweep,
    run_program,
    wait_for_runs,
)
from tests.support.ray_clusters import add_node, run_cluster
from tests.support.resumption import assert_all_succeeded, words_for
from tests.support.servers import running

if TYPE_CHECKING:
    from ray.cluster_utils import Cluster

pytestmark = pytest.mark.slow

SHORT = KILL_EXPERIMENTS / "short.py"
WAITING = KILL_EXPERIMENTS / "waiting.py"
NUM_RUNS = 60
RUN_SECS = "0.1"
LONG_RUN_SECS = "2"  # longer than Ray takes to end what ran on a node that is killed


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A cluster of two nodes of two processors each."""
    with pytest.MonkeyPatch.context() as patch, run_cluster() as running:
        patch.setenv("SHORT_RUN_SECS", RUN_SECS)
        for name in ("first", "second"):
            add_node(running, name, num_cpus=2)
        yield running


def words_on_ray(command: str, path: Path, logdir: Path, address: str, *flags: str) -> list[str]:
    """Return a command line of the real program with the Ray executor."""
    ray = ("--executor=ray", f"--ray_address={address}", *flags)
    return words_for(command, path, logdir, *ray)


def _has_long_run(folder: Path, results: Sequence[RunResult]) -> bool:
    """Return whether a run has been going on for longer than the others take."""
    ended = {result.spec.dir.path for result in results}
    begun_before = time.time() - 5 * float(RUN_SECS)
    return any(
        path.parent not in ended and path.stat().st_mtime < begun_before
        for path in folder.glob("logs/*/*/*/*/process-*")
    )


def test_every_run_succeeds_though_a_node_dies(cluster: Cluster, tmp_path: Path) -> None:
    """Of 60 runs on three nodes, one of which is killed, each succeeds and is there once."""
    third = add_node(cluster, "third", {"SHORT_RUN_SECS": LONG_RUN_SECS}, num_cpus=2)
    results: list[RunResult] = []
    removed: list[Any] = []

    def on_result(result: RunResult) -> None:
        results.append(result)
        if not removed and len(results) >= NUM_RUNS // 3 and _has_long_run(tmp_path, results):
            removed.append(third)
            cluster.remove_node(third, allow_graceful=False)

    swept = launch(
        ExperimentSource(SHORT),
        make_options(
            LaunchOptions, logdir=tmp_path / "logs", executor="ray", ray_address=cluster.address
        ),
        Listeners(on_result=on_result),
    )
    sweep_dir = find_sweep(tmp_path / "logs")

    assert sweep_dir is not None
    assert Counter({Ending.COMPLETE: NUM_RUNS}) == swept.endings
    assert sum(swept.retries.values()), "no run was lost with the node"
    assert_all_succeeded(sweep_dir, NUM_RUNS)
    assert [sweep_dir.path.parent] == list((tmp_path / "logs").iterdir())


PRUNED = """
    def train(run):
        for step in range(5):
            run.report(run.hparams["x"], step)
        return {"loss": run.hparams["x"]}

    EXPERIMENT = lab.Experiment(
        name="pruned",
        hparams=[HParam("x", RealInterval(0.0, 1.0))],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


def test_reports_reach_the_strategy(
    cluster: Cluster, write_module: WriteModule, tmp_path: Path
) -> None:
    """Runs on nodes are pruned by what they and others have reported."""
    swept = launch(
        write_module(PRUNED),
        make_options(
            LaunchOptions,
            logdir=tmp_path / "logs",
            executor="ray",
            ray_address=cluster.address,
            search="random",
            trials=16,
            search_options={"pruner": "median"},
        ),
    )

    assert {Ending.COMPLETE, Ending.PRUNED} == {*swept.endings}


def test_experiment_that_cannot_be_loaded_is_reported(
    cluster: Cluster, write_module: WriteModule, tmp_path: Path
) -> None:
    """Data that a node cannot load is one line, which names the node, and nothing is logged."""
    source = write_module(PRUNED.replace("name=", 'load_data=lambda: open("/no/data"), name='))
    words = words_on_ray("run", source.path, tmp_path / "logs", cluster.address, "--trials=1")
    done = run_program([*words, "--search=random"])

    assert (2, "") == (done.returncode, done.stdout)
    assert "on node" in done.stderr and "No such file or directory: '/no/data'" in done.stderr
    assert 1 == len(done.stderr.splitlines())
    assert not (tmp_path / "logs").exists()


SIGNALS = {"SIGINT": 130, "SIGTERM": 143}


@pytest.mark.parametrize("name", SIGNALS)
def test_signal_ends_the_sweep_truly(cluster: Cluster, name: str, tmp_path: Path) -> None:
    """A signal to the program and its group ends every run on every node truly."""
    words = words_on_ray("run", WAITING, tmp_path, cluster.address, "--set=manner=cleans")
    with running(words) as process:
        wait_for_runs(tmp_path, 4)
        os.killpg(process.pid, signal.Signals[name])
        printed = process.communicate(timeout=TIMEOUT_SECS)[0]

    assert SIGNALS[name] == process.returncode
    assert "interrupted; every run that had begun has a true end" in printed
    assert "Traceback" not in printed
    assert 4 == len(list(tmp_path.glob("*/*/*/*/cleaned")))
    assert_true_ends(tmp_path)


def test_killed_driver_leaves_nothing_on_nodes(cluster: Cluster, tmp_path: Path) -> None:
    """Where the program is killed, its runs on the nodes of a cluster end."""
    words = words_on_ray("run", WAITING, tmp_path, cluster.address, "--set=manner=deaf")
    with running(words) as process:
        wait_for_runs(tmp_path, 4)
        process.kill()
        wait_until(lambda: not any(map(is_alive, find_processes(tmp_path))))


def find_descendants(process: subprocess.Popen[Any]) -> set[int]:
    """Return the processes that have come of one, save for agents, which Ray ends later."""
    children = psutil.Process(process.pid).children(recursive=True)
    return {child.pid for child in children if "Agent" not in "".join(child.cmdline())}


def test_killed_driver_is_resumed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program that is killed takes the cluster that it has started along, and is resumed."""
    monkeypatch.setenv("SHORT_RUN_SECS", RUN_SECS)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    with running(words_on_ray("run", SHORT, tmp_path, "local", "--workers=2")) as process:
        wait_until(lambda: len(find_begun(tmp_path)) > NUM_RUNS // 4)
        left = find_descendants(process) | find_processes(tmp_path)
        process.kill()
        wait_until(lambda: not any(map(is_alive, left)))
    done = run_program(words_for("resume", SHORT, tmp_path))
    sweep_dir = find_sweep(tmp_path)

    assert (0, "") == (done.returncode, done.stderr)
    assert sweep_dir is not None
    assert_all_succeeded(sweep_dir, NUM_RUNS)


def test_missing_ray_is_reported(tmp_path: Path) -> None:
    """Without Ray the program says what to install."""
    program = "import sys; sys.modules['ray'] = None; from hparams_lab.cli.main import main; main()"
    words = words_for("run", SHORT, tmp_path, "--executor=ray")
    done = run_program([sys.executable, "-c", program, *words[3:]])

    assert 2 == done.returncode
    assert "--executor=ray needs Ray" in done.stderr
    assert "pip install 'hparams_lab[ray]'" in done.stderr
