"""Resuming over a wider space, with another declaration, or with other code."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from hparams_lab.errors import HParamsLabError
from hparams_lab.logdir.layout import SweepDir
from tests.conftest import WriteModule
from tests.support.oracle import read_board
from tests.support.resumption import InlineSweeps, assert_all_succeeded, list_points, outcomes

TOY = """
    def train(run):
        return {"loss": run.hparams["units"] + run.seed / 2**31}

    EXPERIMENT = lab.Experiment(
        name="toy",
        hparams=[
            HParam("units", Discrete([1, 2])),
            HParam("kind", Discrete(["a"])),
            HParam("rate", RealInterval(0.5, 0.5)),
        ],
        metrics=[Metric("loss")],
        objective=lab.minimize("loss"),
        train=train,
    )
"""


@pytest.fixture
def toy(write_module: WriteModule, tmp_path: Path) -> InlineSweeps:
    """Sweeps over two points."""
    return InlineSweeps(write_module(TOY), tmp_path / "logs")


@pytest.fixture
def swept(toy: InlineSweeps) -> SweepDir:
    """A finished sweep over the two points."""
    return toy.launch()


def point(units: int, kind: str = "a", rate: float = 0.5) -> dict[str, Any]:
    """Return a point of the space."""
    return {"units": units, "kind": kind, "rate": rate}


EXTENSIONS = {
    "number": ("units=3", [point(3)]),
    "two_numbers": ("units=3,4", [point(3), point(4)]),
    "text": ("kind=b", [point(1, "b"), point(2, "b")]),
    "outside": ("rate=0.75", [point(1, rate=0.75), point(2, rate=0.75)]),
    "known": ("units=2", []),
    "known_and_new": ("units=2,3", [point(3)]),
}


@pytest.mark.parametrize(("extension", "points"), EXTENSIONS.values(), ids=EXTENSIONS)
def test_extension_adds_only_the_new_points(
    extension: str, points: list[object], toy: InlineSweeps, swept: SweepDir
) -> None:
    """`--extend` runs the points that an axis has more, and none that was run before."""
    before = outcomes(swept)
    toy.resume(swept, extensions=[extension])

    assert points == list_points(toy.results)
    assert before.items() <= outcomes(swept).items()
    assert_all_succeeded(swept, 2 + len(points))


def test_value_between_bounds_is_a_new_level(toy: InlineSweeps, swept: SweepDir) -> None:
    """A grid gets a level more, also where that lies within the interval."""
    toy.resume(swept, extensions=["rate=0.9"])
    toy.resume(swept, extensions=["rate=0.6"])

    assert [point(1, rate=0.6), point(2, rate=0.6)] == list_points(toy.results)


def test_extension_lasts(toy: InlineSweeps, swept: SweepDir) -> None:
    """What a sweep was extended by is there when it is resumed again, and not run again."""
    toy.resume(swept, extensions=["units=3"])
    toy.resume(swept, extensions=["kind=b"])

    assert [point(1, "b"), point(2, "b"), point(3, "b")] == list_points(toy.results)
    toy.resume(swept)

    assert [] == toy.results


def test_extended_random_search_draws_from_the_wider_space(toy: InlineSweeps) -> None:
    """A search that draws goes on in the wider space, up to all its points."""
    sweep_dir = toy.launch(search="random", trials=2)
    toy.resume(sweep_dir, extensions=["rate=0.9"], trials=10)

    assert 8 == len({run.spec.assignment for run in toy.results})
    assert all(0.5 <= result["rate"] <= 0.9 for result in list_points(toy.results))


@pytest.mark.parametrize(
    ("extension", "message"),
    [
        ("unit=3", r"hparam 'unit' is not declared; .* Did you mean 'units'\?"),
        ("units=x", "hparam 'units' must be an integer; got 'x'"),
        ("units=1.5", "hparam 'units' must be an integer; got '1.5'"),
        ("rate=nan", "hparam 'rate' must be .*; got nan"),
        ("rate=inf", "hparam 'rate' must be .*; got inf"),
        ("units", "--extend takes AXIS=VALUE,...; got 'units'"),
    ],
)
def test_impossible_extension_is_one_line(
    extension: str, message: str, toy: InlineSweeps, swept: SweepDir
) -> None:
    """An extension that cannot be is told in one line, and nothing is written."""
    before = swept.sweep_file.read_bytes()
    with pytest.raises(HParamsLabError, match=message) as raised:
        toy.resume(swept, extensions=[extension])

    assert "\n" not in str(raised.value)
    assert before == swept.sweep_file.read_bytes()


WIDER = {
    "values": ("Discrete([1, 2])", "Discrete([1, 2, 3])", [point(3)]),
    "moved": ("Discrete([1, 2])", "Discrete([2, 3])", [point(3)]),
    "narrower": ("Discrete([1, 2])", "Discrete([1])", []),
    "bounds": (
        "Interval(0.5, 0.5)",
        "Interval(0.5, 0.9)",
        [point(1, rate=0.9), point(2, rate=0.9)],
    ),
}


@pytest.mark.parametrize(("before", "after", "points"), WIDER.values(), ids=WIDER)
def test_wider_declaration_adds_only_the_new_points(
    before: str,
    after: str,
    points: list[object],
    toy: InlineSweeps,
    swept: SweepDir,
    write_module: WriteModule,
) -> None:
    """A declaration that has become wider is as good as `--extend`; a narrower one adds none."""
    write_module(TOY.replace(before, after))
    toy.resume(swept)

    assert points == list_points(toy.results)
    assert_all_succeeded(swept, 2 + len(points))


def test_narrowing_is_kept(toy: InlineSweeps, write_module: WriteModule) -> None:
    """What `--set` left out stays out, also when the declaration becomes wider elsewhere."""
    sweep_dir = toy.launch(settings=["units=1"])
    write_module(TOY.replace('Discrete(["a"])', 'Discrete(["a", "b"])'))
    toy.resume(sweep_dir)

    assert [point(1, "b")] == list_points(toy.results)


OTHERS = {
    "goal": ("lab.minimize", "lab.maximize", "the objective it began with; got .*maximize"),
    "metrics": ('Metric("loss")]', 'Metric("loss"), Metric("cost")]', "the metrics it began with"),
    "hparam": ('"kind", D', '"sort", D', "the hparams and conditions it began with; got .*kind"),
    "type": ('Discrete(["a"])', "Discrete([7])", "hparam 'kind' must keep its type"),
}


@pytest.mark.parametrize(("before", "after", "message"), OTHERS.values(), ids=OTHERS)
def test_another_question_is_another_sweep(
    before: str,
    after: str,
    message: str,
    toy: InlineSweeps,
    swept: SweepDir,
    write_module: WriteModule,
) -> None:
    """A declaration whose results could not be compared is refused in one readable line."""
    written = swept.sweep_file.read_bytes()
    write_module(TOY.replace(before, after))
    with pytest.raises(HParamsLabError, match=message) as raised:
        toy.resume(swept)

    assert "\n" not in str(raised.value)
    assert "<" not in str(raised.value)  # no Python object's own name for itself
    assert written == swept.sweep_file.read_bytes()


def test_changed_code_is_reported(
    toy: InlineSweeps, swept: SweepDir, write_module: WriteModule
) -> None:
    """Code that has changed since is noted, and the sweep goes on with it."""
    write_module(TOY.replace("2**31", "2**30"))
    toy.resume(swept, extensions=["units=3"])

    assert "the code has changed since the sweep began" in toy.started.notice
    assert [point(3)] == list_points(toy.results)


def test_same_code_is_not_told(toy: InlineSweeps, swept: SweepDir) -> None:
    """Nothing is noted where nothing has changed."""
    toy.resume(swept)

    assert "" == toy.started.notice


def test_dashboard_has_the_new_values_and_commit(
    toy: InlineSweeps, write_module: WriteModule, tmp_path: Path
) -> None:
    """The one config has the wider domain and the commits of both times; rows have their own."""
    labels = [commit_all(tmp_path)]
    sweep_dir = toy.launch()
    write_module(TOY.replace("[1, 2]", "[1, 2, 3]"))
    labels.append(commit_all(tmp_path))
    toy.resume(sweep_dir)
    board = read_board(sweep_dir.path.parent)
    domains = {info.name: info.domain_discrete for info in board.experiment.hparam_infos}

    assert sorted(labels) == list(domains["commit"])
    assert [1.0, 2.0, 3.0] == list(domains["units"])
    assert [labels[0], labels[0], labels[1]] == [
        board.values(trial_id)["commit"] for trial_id in board.trial_ids
    ]


def commit_all(folder: Path) -> str:
    """Commit what is in a folder, a repository from now on, and return the label of that."""
    name = ["-c", "user.name=me", "-c", "user.email=me@here"]
    for words in (["init", "-q"], ["add", "-A", "*.py"], [*name, "commit", "-qm", "Change"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    found = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    )
    return found.stdout[:8]
