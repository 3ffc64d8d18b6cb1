import io
import os
import pickle
import tempfile
import threading
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hparams_lab.executors.process import channel


def as_bytes(message: Any) -> bytes:
    """Return what writing a message writes."""
    with tempfile.TemporaryFile() as file:
        channel.write(file.fileno(), message)
        file.seek(0)
        return file.read()


MESSAGES = st.lists(st.recursive(st.none() | st.integers() | st.binary(), st.lists, max_leaves=5))


@given(messages=MESSAGES, part_sizes=st.lists(st.integers(1, 20), min_size=1))
@settings(deadline=None, max_examples=50)
def test_inbox_puts_parts_together(messages: list[Any], part_sizes: list[int]) -> None:
    """However the bytes are cut, the same messages come out in order."""
    content = b"".join(map(as_bytes, messages))
    reading, writing = os.pipe()
    received: list[Any] = []
    with os.fdopen(reading, "rb"), os.fdopen(writing, "wb", buffering=0) as out:
        inbox, position = channel.Inbox(reading), 0
        while position < len(content):
            size = part_sizes[position % len(part_sizes)]
            out.write(content[position : position + size])
            received += map(pickle.loads, inbox.receive())
            position += size

    assert messages == received


def test_inbox_is_closed_with_the_other_end() -> None:
    """An inbox knows that nothing will follow."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb"):
        os.close(writing)
        inbox = channel.Inbox(reading)

        assert [] == inbox.receive()
        assert inbox.is_closed


def test_message_larger_than_a_pipe_arrives() -> None:
    """A message that a pipe cannot hold is written in parts and read whole."""
    message = b"x" * (1 << 20)
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb", buffering=0) as stream, os.fdopen(writing, "wb") as out:
        writer = threading.Thread(target=channel.write, args=(out.fileno(), message))
        writer.start()
        received = channel.read(stream)
        writer.join()

    assert message == received


@pytest.mark.parametrize("num_bytes", [0, 4, 12])
def test_end_in_mid_message_is_reported(num_bytes: int) -> None:
    """A stream that ends before a message is whole raises EOFError."""
    stream = io.BytesIO(as_bytes("a message")[:num_bytes])

    with pytest.raises(EOFError, match=r"^$"):
        channel.read(stream)


class Unreadable:
    """Can be pickled, but not unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def test_what_cannot_be_unpickled_is_not_sent() -> None:
    """A message that nobody could read raises where it is written."""
    with pytest.raises(ValueError, match="no number"):
        channel.pickle_checked(Unreadable())


def test_descriptors_are_moved_out_of_reach() -> None:
    """A moved descriptor is the same pipe, above 255 and closed in programs that are started."""
    reading, writing = os.pipe()
    high = channel.move_out_of_reach(writing)
    with os.fdopen(reading, "rb"), os.fdopen(high, "wb", buffering=0) as stream:
        stream.write(b"here")

        assert b"here" == os.read(reading, 10)
        assert high > 255
        assert not os.get_inheritable(high)
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.fstat(writing)
