from pathlib import Path

import pytest

from hparams_lab.executors.capacity import count_usable_cpus
from hparams_lab.testing.executors import run_jobs
from tests.support import jobs
from tests.support.process_jobs import ready_executor

VARIABLES = [
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
]


@pytest.fixture(autouse=True)
def no_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what limits this test run was started with."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)


def read_variables(num_workers: int, tmp_path: Path) -> list[str]:
    """Return the limits that a job finds in its environment."""
    steps = [("get_environment", name) for name in VARIABLES]
    with ready_executor(num_workers=num_workers) as executor:
        ends = run_jobs(executor, steps, tmp_path)
    return [ends[index].result for index in range(len(steps))]


def test_processors_are_divided(tmp_path: Path) -> None:
    """Every library is given an equal share of the processors."""
    share = str(max(1, count_usable_cpus() // 2))

    assert [share] * len(VARIABLES) == read_variables(2, tmp_path)


def test_one_worker_has_all_processors(tmp_path: Path) -> None:
    """A single worker's share is all of them."""
    assert [str(count_usable_cpus())] * len(VARIABLES) == read_variables(1, tmp_path)


def test_share_is_never_less_than_one(tmp_path: Path) -> None:
    """With more workers than processors each has one thread, not none."""
    assert ["1"] * len(VARIABLES) == read_variables(count_usable_cpus() + 1, tmp_path)


def test_user_s_own_limit_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that the user has set is left as it is."""
    monkeypatch.setenv("OMP_NUM_THREADS", "7")

    assert "7" == read_variables(2, tmp_path)[0]


@pytest.mark.slow
def test_tensorflow_in_a_fork_keeps_its_share(tmp_path: Path) -> None:
    """TensorFlow, imported once and forked, computes right, with no more threads than it may."""
    with ready_executor(jobs.import_tensorflow) as executor:
        ends = run_jobs(executor, [("multiply_in_tensorflow",)] * 2, tmp_path)
    share = max(1, count_usable_cpus() // 2)

    assert "" == executor.notice
    assert [(512.0, share)] * 2 == [ends[0].result, ends[1].result]


@pytest.mark.slow
def test_tensorflow_in_a_fork_obeys_the_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A number of threads that the user has set holds in the forked TensorFlow."""
    monkeypatch.setenv("TF_NUM_INTEROP_THREADS", "5")
    with ready_executor(jobs.import_tensorflow) as executor:
        ends = run_jobs(executor, [("multiply_in_tensorflow",)], tmp_path)

    assert (512.0, 5) == ends[0].result
