"""Whether images are rectified, by the name of their topic."""

import re

# A part of a topic's name: image_rect, image_rect_color, rect, rectified; but not direct.
RECTIFIED = re.compile('image_rect.*|rect(ified)?(_.*)?')


def says_rectified(topic: str) -> bool:
    """
    Return whether an image topic's name says that its images are rectified.

    :param topic: as image_proc names them: ``/left/image_rect_color``; the transport may follow.
    """
    return any(RECTIFIED.fullmatch(part) for part in topic.split('/'))
