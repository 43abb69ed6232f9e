"""The stamp of a serialised message that starts with a header, read and changed in its bytes."""

import struct


def stamp_of(cdr: bytes) -> int:
    """
    Read the header's stamp.

    :param cdr: serialised message, its four bytes of encapsulation included.
    :return: stamp [ns].
    """
    sec, nanosec = struct.unpack_from(_layout(cdr), cdr, 4)
    return int(sec) * 1_000_000_000 + int(nanosec)


def with_stamp(cdr: bytes, stamp_ns: int) -> bytes:
    """
    Return the message with another stamp in its header.

    :param cdr: serialised message, its four bytes of encapsulation included.
    :param stamp_ns: the new stamp [ns].
    :return: a changed copy.
    """
    changed = bytearray(cdr)
    struct.pack_into(_layout(cdr), changed, 4, *divmod(stamp_ns, 1_000_000_000))
    return bytes(changed)


def _layout(cdr: bytes) -> str:
    """Seconds and nanoseconds in the byte order of the message."""
    return '<iI' if cdr[1] & 1 else '>iI'
