# Copyright 2026 mdepth_ros maintainers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

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
