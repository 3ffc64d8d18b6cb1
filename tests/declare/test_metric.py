"""Reading and checking TensorBoard's `hp.Metric`."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from tensorboard.plugins.hparams.summary_v2 import Metric

from hparams_lab.declare import metric as metrics_of

FULL = Metric(
    "loss",
    group="validation",
    display_name="Loss",
    description="Mean *loss*.",
    dataset_type=Metric.VALIDATION,
)


@pytest.mark.parametrize(
    ("metric", "key", "header"),
    [
        (Metric("loss"), "loss", "loss"),
        (Metric("loss", display_name="Loss"), "loss", "Loss"),
        (Metric("loss", group="validation"), "validation/loss", "validation/loss"),
        (FULL, "validation/loss", "Loss"),
    ],
    ids=["tag", "display_name", "group", "full"],
)
def test_a_metric_has_a_key_and_a_header(metric: Metric, key: str, header: str) -> None:
    """The key is the scalar tag, the header falls back on it."""
    assert key == metrics_of.key_of(metric) == metrics_of.key_of(key)
    assert header == metrics_of.display_name_of(metric)


@pytest.mark.parametrize("metric", [Metric("loss"), FULL], ids=["tag", "full"])
def test_a_metric_survives_json(metric: Metric) -> None:
    """A metric read back from JSON text has an equal proto."""
    again = metrics_of.decode_metric(json.loads(json.dumps(metrics_of.encode_metric(metric))))

    assert metric.as_proto() == again.as_proto()


@pytest.mark.parametrize(
    ("metrics", "message"),
    [
        ([], "must have a metric; got none"),
        (["loss"], "must be an hp.Metric; got 'loss'. Write hp.Metric(tag)."),
        ([Metric("")], "must have a tag; got ''"),
        ([Metric(" ")], "must have a tag; got ' '"),
        ([Metric("loss", group="/validation")], "got '/validation'. Write 'validation'."),
        ([Metric("loss"), Metric("loss")], "must differ; got 'loss' twice"),
        ([Metric("a/loss"), Metric("loss", group="a")], "must differ; got 'a/loss' twice"),
    ],
    ids=["none", "string", "empty_tag", "blank_tag", "leading_slash", "twice", "twice_by_group"],
)
def test_bad_metrics_are_told_what_is_wrong(metrics: list[Any], message: str) -> None:
    """Each broken rule is one sentence with the value and what to do."""
    (problem,) = metrics_of.find_problems(metrics)

    assert re.search(re.escape(message), problem)


def test_all_problems_of_metrics_are_reported() -> None:
    """Three bad metrics are three sentences, in order."""
    problems = metrics_of.find_problems(["a", Metric("x", group="/g"), Metric(""), Metric("ok")])

    assert [re.search("got '(.*?)'", problem)[1] for problem in problems] == ["a", "/g", ""]  # type: ignore[index]


@pytest.mark.parametrize(
    "tag", ["rung", "epochs_run", "std/loss", "n/loss", "report/loss", "best/x"]
)
def test_a_tag_of_ours_is_refused(tag: str) -> None:
    """A metric with a tag that is written beside the metrics would be overwritten."""
    assert [f"a metric must not have a tag that is written beside the metrics; got {tag!r}"] == [
        problem.partition(". ")[0] for problem in metrics_of.find_problems([Metric(tag)])
    ]
