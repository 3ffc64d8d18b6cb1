"""Messages over a pipe or a socket: a length and a pickle each."""

from __future__ import annotations

import os
import pickle
import struct
import sys
import threading
from typing import Any, BinaryIO

if sys.platform != "win32":
    import fcntl

_LENGTH = struct.Struct("<Q")

# Code that closes descriptors wholesale begins with the low ones; few systems allow
# less than twice as many, and `select` no more.
_HIGH_FD = 512

# A job's threads may write to one pipe, which takes a long message in parts.
_WRITING = threading.Lock()


def read(stream: BinaryIO) -> Any:
    """Return the next message of a blocking stream, buffered or not.

    Raises:
        EOFError: if the other end is closed.
    """
    (length,) = _LENGTH.unpack(_read_exactly(stream, _LENGTH.size))
    return pickle.loads(_read_exactly(stream, length))


def _read_exactly(stream: BinaryIO, count: int) -> bytearray:
    content = bytearray()
    while len(content) < count:
        part = stream.read(count - len(content))
        if not part:
            raise EOFError
        content += part
    return content


def write(fd: int, message: Any) -> None:
    """Write a message whole, waiting until there is room."""
    write_pickled(fd, pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL))


def pickle_checked(message: Any) -> bytes:
    """Return a message pickled, if it can be unpickled: who reads it knows no sender.

    Raises:
        Exception: whatever pickling or unpickling raises.
    """
    payload = pickle.dumps(message, protocol=pickle.HIGHEST_PROTOCOL)
    pickle.loads(payload)
    return payload


def write_pickled(fd: int, payload: bytes) -> None:
    """Write a message that is pickled already."""
    rest = memoryview(_LENGTH.pack(len(payload)) + payload)
    with _WRITING:
        while rest:
            rest = rest[os.write(fd, rest) :]


def move_out_of_reach(fd: int) -> int:
    """Return another number for a descriptor, above those that jobs may close unawares."""
    if sys.platform == "win32":
        return fd
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _HIGH_FD)
    except OSError:  # so many are not allowed
        return fd
    os.close(fd)
    return high


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
