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
_HEADER_BYTES: Final = _LENGTH.size + _CRC.size

OVERHEAD_BYTES: Final = _HEADER_BYTES + _CRC.size
"""What a record has beside its payload."""

# Payload lengths by headers whose checksum was found to be right. Nearly all records have
# one of a few lengths; a file of records of all lengths must not fill the memory.
_lengths: dict[bytes, int] = {}
_MAX_LENGTHS = 10_000


def frame(payload: bytes) -> bytes:
    """Return `payload` as one record."""
    length = _LENGTH.pack(len(payload))
    return b"".join((length, _CRC.pack(_mask(length)), payload, _CRC.pack(_mask(payload))))


def unframe(content: bytes, position: int = 0) -> Iterator[bytes]:
    """Yield the payloads of the whole records, in file order.

    A record that is cut short ends the iteration: it is still being written, or its
    writer died over it. `whole_bytes` says whether there is one.

    Args:
        content: of a file.
        position: of the record to begin with, in bytes.

    Raises:
        EventFormatError: if a checksum is wrong; what came before it was yielded.
    """
    total = len(content)
    lengths, unpack = _lengths, _CRC.unpack_from
    while (start := position + _HEADER_BYTES) <= total:
        header = content[position:start]
        end = start + (lengths[header] if header in lengths else _read_length(header, position))
        if end + _CRC.size > total:
            return
        payload = content[start:end]
        crc = crc32c(payload)  # and `_mask`, spelt out: this loop is what reading takes
        if unpack(content, end)[0] != ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF:
            raise EventFormatError(f"the record at byte {position} is damaged.")
        yield payload
        position = end + _CRC.size


def whole_bytes(content: bytes) -> int:
    """Return how many bytes are whole records; fewer than all if the last is cut short.

    Raises:
        EventFormatError: if a checksum is wrong.
    """
    return sum(OVERHEAD_BYTES + len(payload) for payload in unframe(content))


def _read_length(header: bytes, position: int) -> int:
    length = header[: _LENGTH.size]
    if _CRC.unpack_from(header, _LENGTH.size)[0] != _mask(length):
        raise EventFormatError(f"the length of the record at byte {position} is damaged.")
    if len(_lengths) >= _MAX_LENGTHS:
        _lengths.clear()
    return _lengths.setdefault(header, _LENGTH.unpack(length)[0])


def _mask(data: bytes) -> int:
    crc: int = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF
