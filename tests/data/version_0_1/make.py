"""Write `logs.zip` as version 0.1 did: run it with commit f8c3b2c on PYTHONPATH.

    git worktree add /tmp/version_0_1 f8c3b2c
    PYTHONPATH=/tmp/version_0_1 python tests/data/version_0_1/make.py

The clock is set by `faketime` (Debian's package), the machine's name by a `sitecustomize`,
so that days, ids and names are the same wherever it is made. The bucket is moto's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PROJECT = Path("/tmp/project")

# Recorded as the word that one types, and not as where it is installed.
CALL = "import sys; sys.argv[0] = 'hparams_lab'; from hparams_lab.cli.main import main; main()"
PROGRAM = [sys.executable, "-c", CALL]

ONE_HOST = 'import socket\nsocket.gethostname = lambda: "workstation"\n'

STUDY = """
import optuna
from hparams_lab.interop.optuna import import_study

optuna.logging.set_verbosity(optuna.logging.ERROR)
study = optuna.create_study(
    direction="maximize", sampler=optuna.samplers.RandomSampler(seed=0), study_name="valley"
)
study.set_metric_names(["depth"])
study.optimize(
    lambda trial: trial.suggest_float("x", 0.01, 1.0, log=True)
    + len(trial.suggest_categorical("kind", ["good", "bad"])),
    n_trials=6,
)
import_study(study)
"""

SEARCH = """
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from hparams_lab.interop.sklearn import log_search

search = GridSearchCV(LogisticRegression(max_iter=500), {"C": [0.1, 1.0, 10.0]}, cv=3)
log_search(search.fit(*load_iris(return_X_y=True)))
"""

FATE = "--set=fate=none"

DAYS = {
    "2026-11-18 09:00:00": [
        ["run", "hill", FATE],
        ["run", "hill", FATE, "--repeats=2", "--folds=2", "--set=rate=0.01,1.0", "--subset=0.8"],
    ],
    "2026-11-19 09:00:00": [
        ["run", "hill", FATE, "--search=random", "--trials=8", "--pruner=median", "--workers=1"],
        [
            *("run", "hill", "--set=units=8", "--set=rate=1.0", "--set=kind=good"),
            *("--retries=1", "--run_timeout_secs=1", "--memory_limit_mb=4000"),
        ],
        ["run", "hill", FATE, "--trials=4", "--runs_per_process=2", "--max_failures=9"],
    ],
    "2026-11-19 12:00:00": [
        ["resume", "hill", "--trials=7", "--extend", "units=64"],
        ["run", "hill", FATE, "--search=one_at_a_time", "--try=units=32,rate=1.0,kind=good"],
        ["archive", "hill", "2026-11-19_12"],
    ],
    "2026-11-20 09:00:00": [
        ["run", "hill", FATE, "--seed=1"],
        ["run", "hill", FATE, "--search=bayes", "--trials=9", "--workers=1", "--reuse"],
        [
            *("run", "hill", FATE, "--repeats=5", "--set=rate=0.1", "--racing"),
            *("--executor=inline", "--set=kind=good,bad"),
        ],
        ["delete", "hill", "2026-11-19_09-00", "--where=kind == 'bad' and units == 32", "--yes"],
    ],
}


def main() -> None:
    """Make the project, sweep in it day by day, and pack what was logged."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    (PROJECT / "experiments").mkdir(parents=True)
    module = PROJECT / "experiments" / "hill.py"
    shutil.copy(HERE / "hill.py", module)
    _git("init", "--quiet", "--initial-branch=main")
    _commit("Climb", "2026-11-18 08:00:00")
    for when, commands in DAYS.items():
        if when.startswith("2026-11-20"):
            module.write_text(module.read_text().replace("SCALE = 1.0", "SCALE = 0.9"))
            _commit("Climb less", when)
        for index, words in enumerate(commands):
            _run(_at(when, index), [*PROGRAM, *words])
    _run("2026-11-20 10:00:00", [sys.executable, "-c", STUDY])
    _run("2026-11-20 11:00:00", [sys.executable, "-c", SEARCH])
    _fill_bucket()
    _pack()


def _at(when: str, index: int) -> str:
    return when.replace(":00:00", f":{index * 10:02}:00")


def _fill_bucket() -> None:
    """Log a sweep to an object store, and fetch all that is there."""
    import boto3

    from tests.support.s3 import running_s3

    with running_s3() as s3, pytest.MonkeyPatch.context() as patch:
        for name, value in s3.environment.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="project")
        run = [*PROGRAM, "run", "hill", FATE, "--set=kind=good"]
        _run("2026-11-21 09:00:00", [*run, "--logdir=s3://project/logs"])
        for entry in client.list_objects_v2(Bucket="project")["Contents"]:
            file = PROJECT / "bucket" / entry["Key"]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(client.get_object(Bucket="project", Key=entry["Key"])["Body"].read())


def _pack() -> None:
    with zipfile.ZipFile(HERE / "logs.zip", "w", zipfile.ZIP_DEFLATED) as packed:
        for top in ("logs", "bucket"):
            for file in sorted((PROJECT / top).rglob("*")):
                if file.is_file():
                    name = str(file.relative_to(PROJECT))
                    info = zipfile.ZipInfo(name, (2026, 11, 21, 12, 0, 0))
                    packed.writestr(info, file.read_bytes(), zipfile.ZIP_DEFLATED)


def _commit(message: str, when: str) -> None:
    _git("add", "experiments")
    owner = ["-c", "user.name=owner", "-c", "user.email=owner@example.org"]
    _git(*owner, "commit", "-qm", message, when=when)


def _git(*words: str, when: str = "2026-11-18 08:00:00") -> None:
    dates = {"GIT_AUTHOR_DATE": when, "GIT_COMMITTER_DATE": when}
    subprocess.run(["git", *words], cwd=PROJECT, env={**os.environ, **dates}, check=True)


def _run(when: str, words: list[str]) -> None:
    """Run a program in the project as if it were then; a sweep that fails in part may end so."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "sitecustomize.py").write_text(ONE_HOST)
        variables = {
            "PYTHONPATH": os.pathsep.join([folder, os.environ["PYTHONPATH"]]),
            "HPARAMS_LAB_CACHE_DIR": folder,
            "TZ": "UTC",
            # Time limits need the true clock, everything else needs one that agrees with the faked.
            **({"FAKETIME_DONT_FAKE_MONOTONIC": "1"} if "--run_timeout_secs=1" in words else {}),
        }
        environment = {**os.environ, **variables}
        done = subprocess.run(["faketime", when, *words], cwd=PROJECT, env=environment, check=False)
    if done.returncode not in (0, 1):
        raise SystemExit(f"{words} ended with {done.returncode}")


if __name__ == "__main__":
    sys.path.insert(0, str(HERE.parents[2]))
    main()
