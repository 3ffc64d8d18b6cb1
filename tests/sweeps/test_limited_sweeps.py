"""Sweeps of the real program whose runs have limits, or GPUs: how each run ends."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from hparams_lab.events.schema import Ending, Status
from hparams_lab.runs.sweep import Sweep
from tests.support.fake_gpus import A100, H100, LISTING, FakeTool, print_listing
from tests.support.oracle import read_board
from tests.support.program import find_sweep, read_sweep, run_program
from tests.support.resumption import words_for

pytestmark = pytest.mark.slow

MODULE = '''"""How do runs end?"""
import os, signal, time
import hparams_lab as lab
from tensorboard.plugins.hparams.summary_v2 import Discrete, HParam, Metric

def finish_early(number, frame):
    raise TimeoutError("told to stop")

def train(run):
    fate = run.hparams["fate"]
    (run.dir / "device").write_text(os.environ.get("CUDA_VISIBLE_DEVICES", "none"))
    kept = []
    while fate == "leaks":
        kept.append(b"x" * (20 << 20))
        time.sleep(0.01)
    if fate in ("returns", "raises"):
        signal.signal(signal.SIGTERM, finish_early)
    try:
        time.sleep(0.0 if fate == "well" else 60.0)
    except TimeoutError:
        if fate == "raises":
            raise
    return {"loss": 0.5}

EXPERIMENT = lab.Experiment(
    name="fates",
    hparams=[HParam("fate", Discrete(["leaks", "raises", "returns", "sleeps", "well"])),
             HParam("turn", Discrete([1, 2, 3, 4]))],
    metrics=[Metric("loss")],
    objective=lab.minimize("loss"),
    train=train,
)
'''


def run(
    folder: Path, *flags: str, environment: Mapping[str, str] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a sweep with the real program; its log directory is `logs` in the folder."""
    (folder / "fates.py").write_text(MODULE)
    command = [sys.executable, "-m", "hparams_lab", "run", str(folder / "fates.py")]
    return run_program([*command, f"--logdir={folder / 'logs'}", *flags], environment)


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sweep of one run of each fate, all limits set."""
    folder = tmp_path_factory.mktemp("limited")
    program = run(
        folder, "--set=turn=1", "--workers=2", "--run_timeout_secs=5", "--memory_limit_mb=400"
    )
    assert 1 == program.returncode, program.stderr
    return folder


ENDINGS = {
    "leaks": Ending.OUT_OF_MEMORY,
    "raises": Ending.FAILED,  # by what train did with the SIGTERM that it was sent
    "returns": Ending.COMPLETE,
    "sleeps": Ending.TIMED_OUT,
    "well": Ending.COMPLETE,
}


@pytest.mark.parametrize(("fate", "ending"), ENDINGS.items(), ids=ENDINGS)
def test_each_run_has_its_true_end(limited: Path, fate: str, ending: Ending) -> None:
    """A run has the end that it came to, its own where it returned or raised in the grace."""
    (record,) = (each for each in read_sweep(limited / "logs") if each.assignment["fate"] == fate)

    assert ending == record.ending
    assert ({"loss": 0.5} if ending is Ending.COMPLETE else {}) == dict(record.last_values)


def test_limits_are_reported(limited: Path) -> None:
    """Each run that a limit ended says which, in its directory."""
    told = {
        record.assignment["fate"]: record.dir.failure_file.read_text()
        for record in read_sweep(limited / "logs")
        if record.status is Status.FAILURE
    }

    assert "the run was killed above its memory limit of 400 MB (it had " in told["leaks"]
    assert "the run was stopped after its time limit of 5 s" in told["sleeps"]
    assert "told to stop" in told["raises"]


def test_tensorboard_sees_the_ends(limited: Path) -> None:
    """TensorBoard shows what a limit ended as a failure, and the others as they are."""
    board = read_board(limited / "logs" / "fates")

    assert ["STATUS_FAILURE"] * 3 + ["STATUS_SUCCESS"] * 2 == sorted(board.statuses)


def environment_with(tmp_path: Path, listing: str) -> dict[str, str]:
    """Return this environment with an nvidia-smi that prints the listing."""
    tool = FakeTool(tmp_path / "bin")
    tool.write(print_listing(listing))
    environment = {**os.environ, "PATH": f"{tool.folder}:{os.environ['PATH']}"}
    environment.pop("CUDA_VISIBLE_DEVICES", None)
    return environment


def read_devices(folder: Path) -> list[str]:
    """Return the device that each run was given."""
    records = read_sweep(folder / "logs")
    return sorted((record.dir.path / "device").read_text() for record in records)


def test_each_run_has_a_gpu(tmp_path: Path) -> None:
    """With two GPUs there are two workers, and each run is given one of the two."""
    environment = environment_with(tmp_path, LISTING)
    program = run(tmp_path, "--set=fate=well", environment=environment)
    sweep_dir = find_sweep(tmp_path / "logs")

    assert 0 == program.returncode, program.stderr
    assert sweep_dir is not None
    assert 2 == Sweep.read(sweep_dir).workers
    assert {A100, H100} == {*read_devices(tmp_path)}


def test_runs_share_a_gpu(tmp_path: Path) -> None:
    """By --runs_per_gpu two runs at a time have the only GPU."""
    environment = environment_with(tmp_path, LISTING.strip().splitlines()[0])
    flags = ("--set=fate=well", "--runs_per_gpu=2", "--workers=2")
    program = run(tmp_path, *flags, environment=environment)

    assert 0 == program.returncode, program.stderr
    assert [A100] * 4 == read_devices(tmp_path)


def test_resumed_without_gpus(tmp_path: Path) -> None:
    """A sweep whose runs shared GPUs is resumed on a machine that has none."""
    with_gpu = {**os.environ, "CUDA_VISIBLE_DEVICES": "0"}
    without = {**os.environ, "CUDA_VISIBLE_DEVICES": ""}
    run(tmp_path, "--set=fate=well", "--runs_per_gpu=2", "--trials=2", environment=with_gpu)
    words = words_for("resume", tmp_path / "fates.py", tmp_path / "logs", "--trials=4")
    program = run_program(words, without)

    assert 0 == program.returncode, program.stderr
    assert ["", "", "0", "0"] == read_devices(tmp_path)


def test_more_workers_than_gpus_are_refused(tmp_path: Path) -> None:
    """More workers than GPUs have room for are refused in one line, and nothing is written."""
    program = run(tmp_path, "--workers=3", environment=environment_with(tmp_path, LISTING))

    assert 2 == program.returncode
    assert 1 == len(program.stderr.strip().splitlines())
    assert "--workers must be at most 2" in program.stderr
    assert not (tmp_path / "logs").exists()


def test_inline_runs_have_all_devices(tmp_path: Path) -> None:
    """A run in the launcher's own process has the devices that this has."""
    environment = {**os.environ, "CUDA_VISIBLE_DEVICES": "0,1"}
    flags = ("--set=fate=well", "--set=turn=1", "--executor=inline")
    run(tmp_path, *flags, environment=environment)

    assert ["0,1"] == read_devices(tmp_path)
