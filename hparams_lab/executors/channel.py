"""Messages over a pipe or a socket: a length and a pickle each."""

from __future__ import annotations

import os
import pickle
import struct
import threading
from typing import Any, BinaryIO

_LENGTH = struct.Struct("<Q")

# A job's threads may write to one pipe, which takes a long message in parts.
_WRITING = threading.Lock()


def read(stream: BinaryIO) -> Any:
    """Return the next message of a blocking stream, buffered or not.

    Raises:
        EOFError: if the other end is closed.
    """
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    return pickle.loads(_read_exactly(stream, length))


def _read_exactly(stream: BinaryIO, count: int) -> bytes:
    content = b""
    while len(content) < count:
        part = stream.read(count - len(content))
        if not part:
            raise EOFError
        content += part
    return content


def write(fd: int, message: Any) -> None:
    """Write a message whole, waiting until there is room."""
    write_pickled(fd, pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def write_pickled(fd: int, payload: bytes) -> None:
    """Write a message that is pickled already."""
    rest = memoryview(_LENGTH.pack(len(payload)) + payload)
    with _WRITING:
        while rest:
            rest = rest[os.write(fd, rest) :]


class Inbox:
    """Puts messages together from what a file descriptor yields bit by bit.

    Args:
        fd: read without waiting once it is ready.
    """

    def __init__(self, fd: int) -> None:
        self.fd = fd
        self.is_closed = False
        self._bytes = bytearray()

    def receive(self) -> list[bytes]:
        """Read once and return the messages that are complete, in order, still pickled.

        Sets `is_closed` when the other end is.
        """
        try:
            content = os.read(self.fd, 1 << 16)
        except ConnectionResetError:  # a socket's, closed over there with something unread
            content = b""
        self.is_closed = not content
        self._bytes += content
        payloads = []
        while len(self._bytes) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._bytes)
            end = _LENGTH.size + length
            if len(self._bytes) < end:
                break
            payloads.append(bytes(self._bytes[_LENGTH.size : end]))
            del self._bytes[:end]
        return payloads
