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

"""Messages of ROS 1 and ROS 2 as rosbags reads them, so without ROS."""

import cv2
import numpy as np
from rosbags.typesys import get_typestore, Stores

STORES = {'ros1': get_typestore(Stores.ROS1_NOETIC), 'ros2': get_typestore(Stores.ROS2_HUMBLE)}
ROS2 = STORES['ros2']


def is_ros1(store):
    return 'seq' in {name for name, _ in store.fielddefs['std_msgs/msg/Header'][1]}


def header(store, stamp_ns, frame_id='camera_optical'):
    stamp = store.types['builtin_interfaces/msg/Time'](*divmod(stamp_ns, 1_000_000_000))
    start = (0,) if is_ros1(store) else ()
    return store.types['std_msgs/msg/Header'](*start, stamp=stamp, frame_id=frame_id)


def image(store, stamp_ns, pixels, encoding='rgb8', frame_id='camera_optical'):
    """Make an Image of (H, W) or (H, W, 3) little-endian pixels."""
    height, width = pixels.shape[:2]
    rows = np.ascontiguousarray(pixels).reshape(height, -1).view(np.uint8)
    return store.types['sensor_msgs/msg/Image'](
        header(store, stamp_ns, frame_id), height, width, encoding, 0, rows.shape[1],
        rows.ravel())


def compressed(store, stamp_ns, pixels, extension='.png', text=None, prefix=b'',
               frame_id='camera_optical'):
    """Make a CompressedImage of pixels as OpenCV has them."""
    data = prefix + cv2.imencode(extension, pixels)[1].tobytes()
    return store.types['sensor_msgs/msg/CompressedImage'](
        header(store, stamp_ns, frame_id), text or extension[1:], np.frombuffer(data, np.uint8))


def camera_info(store, stamp_ns, camera):
    matrices = (camera.distortion, camera.K.ravel(), camera.R.ravel(), camera.P.ravel())
    names = 'DKRP' if is_ros1(store) else 'dkrp'
    roi = store.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    return store.types['sensor_msgs/msg/CameraInfo'](
        header=header(store, stamp_ns), height=camera.height, width=camera.width,
        distortion_model=camera.distortion_model or 'plumb_bob',
        **dict(zip(names, matrices)), binning_x=0, binning_y=0, roi=roi)


def odometry(store, stamp_ns, position, quaternion=(0.0, 0.0, 0.0, 1.0)):
    """Make an Odometry; the quaternion is x y z w."""
    def of(name, *values):
        return store.types[f'geometry_msgs/msg/{name}'](*values)

    pose = of('Pose', of('Point', *position), of('Quaternion', *quaternion))
    still = of('Twist', of('Vector3', 0.0, 0.0, 0.0), of('Vector3', 0.0, 0.0, 0.0))
    covariance = np.zeros(36)
    return store.types['nav_msgs/msg/Odometry'](
        header(store, stamp_ns, 'odom'), 'base_link', of('PoseWithCovariance', pose, covariance),
        of('TwistWithCovariance', still, covariance))


def Image(**fields):
    """Make a ROS 2 Image with what is not named left at nothing."""
    empty = image(ROS2, 0, np.zeros((1, 1, 3), np.uint8), '')
    return _changed(empty, fields)


def CompressedImage(**fields):
    """Make a ROS 2 CompressedImage with what is not named left at nothing."""
    return _changed(compressed(ROS2, 0, np.zeros((1, 1), np.uint8)), fields)


def CameraInfo(**fields):
    """Make a ROS 2 CameraInfo with what is not named left at nothing."""
    roi = ROS2.types['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False)
    empty = ROS2.types['sensor_msgs/msg/CameraInfo'](
        header(ROS2, 0, ''), 0, 0, '', np.zeros(0), np.zeros(9), np.zeros(9), np.zeros(12), 0, 0,
        roi)
    return _changed(empty, fields)


def _changed(message, fields):
    for name, value in fields.items():
        setattr(message, name, value)
    return message
