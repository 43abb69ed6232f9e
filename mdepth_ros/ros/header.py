"""Headers of the messages that we make."""

from std_msgs.msg import Header


def header_at(stamp_ns: int, frame_id: str) -> Header:
    """
    Make a header.

    :param stamp_ns: its stamp [ns].
    :param frame_id: its frame.
    :return: the header.
    """
    header = Header(frame_id=frame_id)
    header.stamp.sec, header.stamp.nanosec = divmod(stamp_ns, 1_000_000_000)
    return header


def copy_of(header: Header) -> Header:
    """
    Copy stamp and frame, so that no two messages share a header that someone may change.

    :param header: of the input image.
    :return: an equal one.
    """
    copy = Header(frame_id=header.frame_id)
    copy.stamp.sec, copy.stamp.nanosec = header.stamp.sec, header.stamp.nanosec
    return copy
