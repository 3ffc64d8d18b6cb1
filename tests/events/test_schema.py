"""The protos that are written equal those of TensorBoard's own API, and come back as values."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.compat.proto import summary_pb2
from tensorboard.plugins.hparams import plugin_data_pb2, summary_v2
from tensorboard.plugins.hparams.summary_v2 import (
    Discrete,
    HParam,
    IntInterval,
    Metric,
    RealInterval,
)

from hparams_lab.declare.assignment import Assignment
from hparams_lab.declare.domains import Value
from hparams_lab.declare.objective import maximize
from hparams_lab.events import schema
from hparams_lab.events.schema import Status
from tests.conftest import CheckGolden
from tests.support.factories import decode_config, make_sweep

VALUES = {"units": 16, "rate": 0.1, "optimizer": "adam", "second layer": True, "größe": 'a "b"'}
LABELS = {"day": "2026-11-21", "sweep": "2026-11-21_07-34-05", "commit": "0123abcd"}
TRIAL = "0007-3f2a9c1b@2026-11-21_07-34-05"

HPARAMS = [
    HParam("units", IntInterval(8, 64), display_name="Units", description="of each layer"),
    HParam("rate", RealInterval(0.1, 0.5)),
    HParam("optimizer", Discrete(["sgd", "adam"])),
    HParam("second layer", Discrete([False, True])),
    HParam("batch", Discrete([32, 128])),
]
METRICS = [
    Metric("accuracy", display_name="Accuracy", description="on held-out rows"),
    Metric("loss", dataset_type=Metric.VALIDATION),
]


def format_summary(summary: summary_pb2.Summary) -> str:
    """Return a summary as text, its plugin data spelled out below."""
    (value,) = summary.value
    content = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
    shell = summary_pb2.Summary()
    shell.CopyFrom(summary)
    shell.value[0].metadata.plugin_data.content = b"below"
    return "\n".join(
        text_format.MessageToString(message, as_utf8=True) for message in (shell, content)
    )


def encode_start() -> summary_pb2.Summary:
    """Return the session start of the examples above."""
    return schema.encode_start(
        Assignment(VALUES), labels=LABELS, group_name=TRIAL, start_time_secs=1.5
    )


def test_start_equals_tensorboards() -> None:
    """The session start is what `hp.hparams_pb` makes of the same values and labels."""
    theirs = summary_v2.hparams_pb({**VALUES, **LABELS}, trial_id=TRIAL, start_time_secs=1.5)

    assert format_summary(theirs) == format_summary(encode_start())


@pytest.mark.slow
def test_end_equals_tensorboards() -> None:
    """The session end is, byte for byte, what TensorBoard's `session_end_pb` makes."""
    # In another process, as that module imports TensorFlow.
    program = (
        "import sys; from tensorboard.plugins.hparams import api_pb2, summary; "
        "end = summary.session_end_pb(api_pb2.STATUS_FAILURE, end_time_secs=2.5); "
        "sys.stdout.buffer.write(end.SerializeToString())"
    )
    theirs = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)

    assert theirs.stdout == schema.encode_end(Status.FAILURE, 2.5).SerializeToString()


def test_config_equals_tensorboards() -> None:
    """The config has the hparams and metrics that `hp.hparams_config_pb` makes, in its shell."""
    sweep = make_sweep(hparams=HPARAMS, metrics=METRICS, objective=maximize("accuracy"))
    (theirs,) = summary_v2.hparams_config_pb(HPARAMS, METRICS).value
    (ours,) = schema.encode_config([sweep]).value
    their_infos, our_infos = decode_config(theirs), decode_config(ours)
    for info in our_infos.hparam_infos:
        info.ClearField("differs")  # which TensorBoard's own API never sets

    assert list(their_infos.hparam_infos) == list(our_infos.hparam_infos)[: len(HPARAMS)]
    assert list(their_infos.metric_infos) == list(our_infos.metric_infos)
    assert (theirs.tag, theirs.tensor) == (ours.tag, ours.tensor)


def test_start_is_golden(check_golden: CheckGolden) -> None:
    """The session start is, to the letter, what it has always been."""
    check_golden("start.textproto", format_summary(encode_start()))


def test_end_is_golden(check_golden: CheckGolden) -> None:
    """The session end is, to the letter, what it has always been."""
    check_golden("end.textproto", format_summary(schema.encode_end(Status.FAILURE, 2.5)))


def test_config_is_golden(check_golden: CheckGolden) -> None:
    """The experiment's config is, to the letter, what it has always been."""
    sweep = make_sweep(
        hparams=HPARAMS, metrics=METRICS, objective=maximize("accuracy", reduction="best")
    )
    check_golden("config.textproto", format_summary(schema.encode_config([sweep])))


def content_of(summary: summary_pb2.Summary) -> bytes:
    """Return the plugin data of a summary."""
    content: bytes = summary.value[0].metadata.plugin_data.content
    return content


NAMES = st.text(min_size=1, max_size=8)
ANY_VALUE = st.one_of(
    st.booleans(),
    st.integers(-(2**53), 2**53),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=8),
)


@given(st.dictionaries(NAMES, ANY_VALUE, max_size=5), NAMES)
def test_start_comes_back(values: dict[str, Value], group_name: str) -> None:
    """Any values and names come back from a session start, numbers as floats."""
    start = schema.encode_start(
        Assignment(values), labels={}, group_name=group_name, start_time_secs=1.5
    )

    assert (values, group_name, 1.5) == schema.decode_start(content_of(start))


@pytest.mark.parametrize("value", [True, False, "", "1", 3, 0.5], ids=repr)
def test_kind_of_value_comes_back(value: Value) -> None:
    """A bool stays a bool, a string a string, and a number becomes a float."""
    start = schema.encode_start(
        Assignment({"x": value}), labels={}, group_name="t", start_time_secs=0.0
    )
    read = schema.decode_start(content_of(start))[0]["x"]
    expected = value if isinstance(value, bool | str) else float(value)

    assert (type(expected), expected) == (type(read), read)


@pytest.mark.parametrize("status", [Status.SUCCESS, Status.FAILURE])
def test_end_comes_back(status: Status) -> None:
    """Status and time come back from a session end."""
    assert (status, 2.5) == schema.decode_end(content_of(schema.encode_end(status, 2.5)))


@pytest.mark.parametrize(
    "identity", [{"seed": 7, "repeat": 0, "fold": None}, {"note": 'größe "x"'}], ids=["run", "text"]
)
def test_identity_comes_back(identity: dict[str, Any]) -> None:
    """What TensorBoard has no field for comes back from our own summary."""
    (value,) = schema.encode_identity(identity).value

    assert identity == schema.decode_identity(value)


def test_identity_is_not_another_summary() -> None:
    """A scalar is not taken for a run's identity."""
    assert schema.decode_identity(schema.encode_scalar("loss", 1.0).value[0]) is None
