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

"""What cv_bridge is asked for, and what is said where it is not usable."""

import array
import sys
import types

from mdepth_ros.errors import BadImage
from mdepth_ros.ros.image_decoding import decode_image
import numpy as np
import pytest
from sensor_msgs.msg import Image

WIDTH, HEIGHT = 36, 26
RGB = np.arange(HEIGHT * WIDTH * 3, dtype=np.uint8).reshape(HEIGHT, WIDTH, 3)


def message(encoding):
    return Image(width=WIDTH, height=HEIGHT, encoding=encoding, step=3 * WIDTH,
                 data=array.array('B', RGB.tobytes()))


def test_common_encodings_need_no_cv_bridge(monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    assert np.array_equal(decode_image(message('rgb8')), RGB)


@pytest.mark.parametrize('encoding', ['32FC1', 'nv21', '', 'RGB8'])
def test_unknown_encoding_without_cv_bridge(encoding, monkeypatch):
    monkeypatch.setitem(sys.modules, 'cv_bridge', None)
    with pytest.raises(BadImage, match=f'{encoding!r} is not supported, supported are rgb8, bgr8'):
        decode_image(message(encoding))


def test_unknown_encoding_goes_to_cv_bridge(monkeypatch):
    class CvBridgeError(TypeError):
        pass

    class CvBridge:

        def imgmsg_to_cv2(self, source, desired_encoding):
            if source.encoding == 'nv21':
                raise CvBridgeError('no conversion')
            assert desired_encoding == 'rgb8'
            return RGB

    fake = types.ModuleType('cv_bridge')
    fake.CvBridge, fake.CvBridgeError = CvBridge, CvBridgeError
    monkeypatch.setitem(sys.modules, 'cv_bridge', fake)
    assert np.array_equal(decode_image(message('rgb16')), RGB)
    with pytest.raises(BadImage, match=r"cannot turn a 'nv21' image of 36 x 26.*no conversion"):
        decode_image(message('nv21'))


@pytest.mark.parametrize('error', [ImportError('numpy.core.multiarray failed to import'),
                                   AttributeError('newbyteorder was removed')])
def test_a_cv_bridge_that_fails_late_is_not_usable(monkeypatch, error):
    class CvBridge:

        def imgmsg_to_cv2(self, source, desired_encoding):
            raise error

    fake = types.ModuleType('cv_bridge')
    fake.CvBridge = CvBridge
    monkeypatch.setitem(sys.modules, 'cv_bridge', fake)
    with pytest.raises(BadImage, match=r"'32FC1' is not supported.*not usable here"):
        decode_image(message('32FC1'))
