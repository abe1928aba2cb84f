"""Native libraries without what only a debugger or a linker reads: a third of their size, and up to nine tenths.

Done here rather than by `strip`, which is not on every machine, and of which one version knows one architecture and
gives other bytes than the next. What a process maps is in the segments; symbol tables for linkers, debug information
and the section headers that list them stand behind the last of these.
"""

import struct

MAGIC = b"\x7fELF\x02\x01"
"""64 bits, little-endian: both architectures of Lambda."""
_HEADER_BYTES = 64
_SEGMENTS, _SECTIONS, _SEGMENT_SIZES, _SECTION_COUNTS = 32, 40, 54, 60
_SEGMENT_OFFSET, _SEGMENT_LENGTH = 8, 32


def without_symbols(library: bytes) -> bytes:
    """A shared library as far as its last segment. What is none, or of another kind, is returned as it is."""
    if not library.startswith(MAGIC) or len(library) < _HEADER_BYTES:
        return library
    (table,) = struct.unpack_from("<Q", library, _SEGMENTS)
    size, count = struct.unpack_from("<HH", library, _SEGMENT_SIZES)
    end = table + size * count
    for place in range(table, end, size):
        (offset,) = struct.unpack_from("<Q", library, place + _SEGMENT_OFFSET)
        (length,) = struct.unpack_from("<Q", library, place + _SEGMENT_LENGTH)
        end = max(end, offset + length)
    kept = bytearray(library[:end])
    struct.pack_into("<Q", kept, _SECTIONS, 0)
    struct.pack_into("<HH", kept, _SECTION_COUNTS, 0, 0)
    return bytes(kept)
