"""TFRecord framing: what is written comes back, and what is damaged is reported."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tensorboard.summary.writer.record_writer import RecordWriter

from hparams_lab.errors import EventFormatError
from hparams_lab.events.records import frame, unframe, whole_bytes

PAYLOADS = st.lists(st.binary(max_size=60), max_size=5)
EXAMPLE = [b"", b"first", b"\x00" * 40, "größer".encode()]


def join(payloads: Sequence[bytes]) -> bytes:
    """Return the content of a file with one record a payload."""
    return b"".join(frame(payload) for payload in payloads)


def unframe_up_to_damage(content: bytes) -> tuple[list[bytes], str]:
    """Return the payloads that come out, and what is said of the damage behind them."""
    payloads = []
    try:
        for payload in unframe(content):
            payloads.append(payload)
    except EventFormatError as error:
        return payloads, str(error)
    return payloads, ""


@given(PAYLOADS)
def test_unframe_inverts_frame(payloads: list[bytes]) -> None:
    """The payloads of a file come back in order, and all of its bytes are whole."""
    content = join(payloads)

    assert payloads == list(unframe(content))
    assert len(content) == whole_bytes(content)


def test_frame_is_what_tensorboard_writes(tmp_path: Path) -> None:
    """Each record equals the one of TensorBoard's own writer, byte for byte."""
    with (tmp_path / "theirs").open("wb") as file:
        writer = RecordWriter(file)
        for payload in EXAMPLE:
            writer.write(payload)
        writer.flush()

    assert (tmp_path / "theirs").read_bytes() == join(EXAMPLE)


def test_torn_tail_ends_the_file() -> None:
    """Cut at any byte, a file gives its whole records and nothing of the torn one."""
    content = join(EXAMPLE)
    ends = [len(join(EXAMPLE[:count])) for count in range(len(EXAMPLE) + 1)]
    for cut in range(len(content) + 1):
        num_whole = sum(end <= cut for end in ends) - 1

        assert (EXAMPLE[:num_whole], "") == unframe_up_to_damage(content[:cut])
        assert ends[num_whole] == whole_bytes(content[:cut])


@given(PAYLOADS.filter(bool), st.data())
def test_flipped_bit_is_reported(payloads: list[bytes], data: st.DataObject) -> None:
    """A flipped bit is an error behind the whole records, wherever it is; nothing is made up."""
    content = bytearray(join(payloads))
    bit = data.draw(st.integers(0, 8 * len(content) - 1))
    content[bit // 8] ^= 1 << bit % 8
    read, problem = unframe_up_to_damage(bytes(content))

    assert "damaged" in problem
    assert payloads[: len(read)] == read
    assert len(join(read)) <= bit // 8 < len(join(payloads[: len(read) + 1]))


@given(st.binary(max_size=200))
def test_any_bytes_are_records_or_damaged(content: bytes) -> None:
    """Whatever a file holds, its records read are a prefix of it, framed again."""
    read, _ = unframe_up_to_damage(content)

    assert content.startswith(join(read))


@pytest.mark.parametrize(
    ("position", "message"),
    [(0, "length of the record at byte 17"), (12, "the record at byte 17 is damaged")],
    ids=["length", "payload"],
)
def test_damage_is_located(position: int, message: str) -> None:
    """The error says at which byte the damaged record begins, and which part it is."""
    content = bytearray(join([b"x", b"payload"]))
    content[17 + position] ^= 1

    with pytest.raises(EventFormatError, match=message):
        whole_bytes(bytes(content))
