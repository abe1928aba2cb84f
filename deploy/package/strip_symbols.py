"""Strips symbols and debug information from native libraries: a third of their size, and up to nine tenths.

Done here rather than by `strip`, which is not on every machine, knows one architecture per build, and gives other bytes
in each version. What a process maps is in the segments; symbol tables for linkers, debug information and the section
headers that list them come after the last segment. Used with the tree-shaking switch only.
"""

import struct

MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian: both architectures of Lambda."""
_HEADER_BYTES = 64
_SEGMENTS, _SECTIONS, _SEGMENT_SIZES, _SECTION_COUNTS = 32, 40, 54, 60
_SEGMENT_OFFSET, _SEGMENT_LENGTH = 8, 32


def without_symbols(library: bytes) -> bytes:
    """A shared library up to its last segment. Files that are not ELF, or of another kind, are returned unchanged."""
    if not library.startswith(MAGIC) or len(library) < _HEADER_BYTES:
        return library
    (table,) = struct.unpack_from("<Q", library, _SEGMENTS)
    size, count = struct.unpack_from("<HH", library, _SEGMENT_SIZES)
    end = table + size * count
    for segment in range(table, end, size):
        (offset,) = struct.unpack_from("<Q", library, segment + _SEGMENT_OFFSET)
        (length,) = struct.unpack_from("<Q", library, segment + _SEGMENT_LENGTH)
        end = max(end, offset + length)
    stripped = bytearray(library[:end])
    struct.pack_into("<Q", stripped, _SECTIONS, 0)
    struct.pack_into("<HH", stripped, _SECTION_COUNTS, 0, 0)
    return bytes(stripped)
