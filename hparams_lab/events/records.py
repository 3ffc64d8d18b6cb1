"""TFRecord framing: how events lie in a file, with their checksums.

    uint64 length, uint32 masked_crc32c(length), bytes[length], uint32 masked_crc32c(bytes)

Source: tensorflow/core/lib/io/record_writer.h and lib/hash/crc32c.h (the mask).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from google_crc32c import value as crc32c

from hparams_lab.errors import EventFormatError

_LENGTH: Final = struct.Struct("<Q")
_CRC: Final = struct.Struct("<I")
_HEADER_BYTES = _LENGTH.size + _CRC.size


def frame(payload: bytes) -> bytes:
    """Return `payload` as one record."""
    length = _LENGTH.pack(len(payload))
    return b"".join((length, _CRC.pack(_mask(length)), payload, _CRC.pack(_mask(payload))))


def unframe(content: bytes) -> Iterator[bytes]:
    """Yield the payloads of the whole records, in file order.

    A record that is cut short ends the iteration: it is still being written, or its
    writer died over it. `whole_bytes` tells whether there is one.

    Raises:
        EventFormatError: if a checksum is wrong; what came before it was yielded.
    """
    position = 0
    while (payload := _record_at(content, position)) is not None:
        yield payload
        position += _HEADER_BYTES + len(payload) + _CRC.size


def whole_bytes(content: bytes) -> int:
    """Return how many bytes are whole records; fewer than all if the last is cut short.

    Raises:
        EventFormatError: if a checksum is wrong.
    """
    return sum(_HEADER_BYTES + len(payload) + _CRC.size for payload in unframe(content))


def _record_at(content: bytes, position: int) -> bytes | None:
    start = position + _HEADER_BYTES
    if start > len(content):
        return None
    length = content[position : position + _LENGTH.size]
    if _CRC.unpack_from(content, position + _LENGTH.size)[0] != _mask(length):
        raise EventFormatError(f"the length of the record at byte {position} is damaged.")
    end = start + _LENGTH.unpack(length)[0]
    if end + _CRC.size > len(content):
        return None
    payload = content[start:end]
    if _CRC.unpack_from(content, end)[0] != _mask(payload):
        raise EventFormatError(f"the record at byte {position} is damaged.")
    return payload


def _mask(data: bytes) -> int:
    crc: int = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
