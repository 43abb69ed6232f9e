"""Make the demo's bag, or look into the user's."""

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rosbags.rosbag2 import StoragePlugin, Writer
from tqdm import tqdm

from mdepth_ros.cli.demo_recording import first_message
from mdepth_ros.cli.demo_source import CameraChoice, Source, SourceFrame
from mdepth_ros.engine.camera import Camera
from mdepth_ros.errors import MdepthError
from mdepth_ros.ros.bag_topics import (
    CAMERA_INFO,
    IMAGE,
    ODOMETRY,
    BagTopics,
    find_topics,
    open_bag,
    ros2_types,
)
from mdepth_ros.ros.image_decoding import decode_compressed, decode_image

TRUTH_TOPIC = '/truth/depth'
# Columns: the optical x, y, z axes in a body frame with x forward, y left, z up (REP 103).
_BODY_OPTICAL = np.array([[0.0, 0.0, 1.0], [-1.0, 0.0, 0.0], [0.0, -1.0, 0.0]])


@dataclass(frozen=True)
class Material:
    """
    What to play.

    ``camera`` replaces the bag's CameraInfo where the user gave one. ``truth`` is a bag of 32FC1
    depth with the images' stamps, None where there is no truth.
    """

    name: str
    bag: Path
    topics: BagTopics
    camera: Camera | None
    is_rectified: bool
    truth: Path | None


def material_from_bag(
    bag: Path, choice: CameraChoice, image_topic: str | None = None,
    camera_info_topic: str | None = None, odometry_topic: str | None = None,
) -> Material:
    """
    Look into the user's bag.

    :param bag: any bag.
    :param choice: the camera, if the bag has none or another is wanted.
    :param image_topic: which camera, if there are several.
    :param camera_info_topic: its CameraInfo, if it is not beside the images.
    :param odometry_topic: which odometry, if there are several.
    :return: what to play.
    :raises MdepthError: if something is missing, and what to pass.
    """
    with closing(open_bag(bag)) as reader:
        topics = find_topics(reader, image_topic, camera_info_topic, odometry_topic)
        image = first_message(reader, topics.image)
        # The decoders read attributes only, which the bag's own classes have too.
        shape = (decode_compressed if topics.compressed else decode_image)(image).shape
        camera = choice.camera(shape[1], shape[0])
        if camera is None and topics.camera_info is None:
            camera = choice.required(f'{bag} (no CameraInfo for {topics.image})',
                                     shape[1], shape[0])
        distorted = camera is not None and camera.has_distortion
        if camera is None and topics.camera_info is not None:
            info = first_message(reader, topics.camera_info)
            distorted = bool(np.any(info.D if hasattr(info, 'D') else info.d))
    return Material(bag.name, bag, topics, camera, 'rect' in topics.image or not distorted, None)


def material_from_source(source: Source, folder: Path) -> Material:
    """
    Write images, camera and odometry to a bag, and the true depth, if any, to another.

    :param source: what to write.
    :param folder: where to make ``input`` and ``truth``.
    :return: what to play.
    """
    topics = BagTopics('/camera/image', False, '/camera/camera_info', None)
    with (Writer(folder / 'input', version=9, storage_plugin=StoragePlugin.MCAP) as writer,
          Writer(folder / 'truth', version=9, storage_plugin=StoragePlugin.MCAP) as truth):
        images = _Channel(writer, topics.image, IMAGE)
        infos = _Channel(writer, '/camera/camera_info', CAMERA_INFO)
        odometry = _Channel(writer, '/odom', ODOMETRY)
        depths = _Channel(truth, TRUTH_TOPIC, IMAGE)
        track = _Track()
        for frame in tqdm(source.frames, total=source.count, unit=' images', leave=False,
                          desc='writing the bag'):
            if frame.T_world_camera is not None:
                odometry.write(frame.stamp_ns, track.message(frame))
            infos.write(frame.stamp_ns, _info(source.camera, frame.stamp_ns))
            images.write(frame.stamp_ns, _image(frame.rgb, 'rgb8', frame.stamp_ns))
            if frame.depth is not None:
                depths.write(frame.stamp_ns, _image(frame.depth, '32FC1', frame.stamp_ns))
    if not images.count:
        raise MdepthError(f'{source.name} has no images')
    return Material(
        source.name, folder / 'input',
        BagTopics(topics.image, False, topics.camera_info, '/odom' if odometry.count else None),
        None, not source.camera.has_distortion, folder / 'truth' if depths.count else None)


class _Channel:
    """One topic of a bag that is being written."""

    def __init__(self, writer: Writer, topic: str, kind: str) -> None:
        self.count = 0
        self._writer = writer
        self._connection = writer.add_connection(topic, kind, typestore=ros2_types())

    def write(self, stamp_ns: int, message: object) -> None:
        """Write a message at its stamp."""
        cdr = ros2_types().serialize_cdr(message, self._connection.msgtype)
        self._writer.write(self._connection, stamp_ns, cdr)
        self.count += 1


class _Track:
    """True poses as the odometry of a robot whose camera looks forward from its origin."""

    def __init__(self) -> None:
        self._first: NDArray[np.float64] | None = None
        self._last: tuple[int, NDArray[np.float64]] | None = None

    def message(self, frame: SourceFrame) -> object:
        """Odometry of one frame, from the pose and the step since the last one."""
        T_world_camera = frame.T_world_camera
        assert T_world_camera is not None
        if self._first is None:
            self._first = T_world_camera
        T = _in_body_axes(np.linalg.inv(self._first) @ T_world_camera)
        velocity = np.zeros(3)
        if self._last is not None:
            seconds = (frame.stamp_ns - self._last[0]) / 1e9
            velocity = T[:3, :3].T @ (T[:3, 3] - self._last[1][:3, 3]) / seconds
        self._last = frame.stamp_ns, T
        t = ros2_types().types
        zeros, vector = np.zeros(36), t['geometry_msgs/msg/Vector3']
        pose = t['geometry_msgs/msg/Pose'](
            position=t['geometry_msgs/msg/Point'](*map(float, T[:3, 3])),
            orientation=t['geometry_msgs/msg/Quaternion'](*_quaternion(T[:3, :3])))
        twist = t['geometry_msgs/msg/Twist'](
            linear=vector(*map(float, velocity)), angular=vector(0.0, 0.0, 0.0))
        return t['nav_msgs/msg/Odometry'](
            header=_header(frame.stamp_ns, 'odom'), child_frame_id='base_link',
            pose=t['geometry_msgs/msg/PoseWithCovariance'](pose=pose, covariance=zeros),
            twist=t['geometry_msgs/msg/TwistWithCovariance'](twist=twist, covariance=zeros))


def _in_body_axes(T: NDArray[np.float64]) -> NDArray[np.float64]:
    """Turn a motion in optical axes into the same motion with x forward and z up."""
    turn = np.eye(4)
    turn[:3, :3] = _BODY_OPTICAL
    return np.asarray(turn @ T @ turn.T)


def _quaternion(R: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Unit quaternion x, y, z, w: the main eigenvector of Bar-Itzhack's symmetric matrix."""
    (a, b, c), (d, e, f), (g, h, i) = R
    K = np.array([[a - e - i, b + d, c + g, h - f], [b + d, e - a - i, f + h, c - g],
                  [c + g, f + h, i - a - e, d - b], [h - f, c - g, d - b, a + e + i]])
    x, y, z, w = np.linalg.eigh(K)[1][:, -1]
    sign = -1.0 if w < 0 else 1.0
    return sign * float(x), sign * float(y), sign * float(z), sign * float(w)


def _header(stamp_ns: int, frame_id: str) -> object:
    """Make a header."""
    t = ros2_types().types
    stamp = t['builtin_interfaces/msg/Time'](*divmod(stamp_ns, 1_000_000_000))
    return t['std_msgs/msg/Header'](stamp=stamp, frame_id=frame_id)


def _image(pixels: NDArray[np.generic], encoding: str, stamp_ns: int) -> object:
    """Make an image."""
    pixels = np.ascontiguousarray(pixels)
    return ros2_types().types['sensor_msgs/msg/Image'](
        header=_header(stamp_ns, 'camera_optical_frame'), height=pixels.shape[0],
        width=pixels.shape[1], encoding=encoding, is_bigendian=0, step=pixels[0].nbytes,
        data=pixels.reshape(-1).view(np.uint8))


def _info(camera: Camera, stamp_ns: int) -> object:
    """Make the CameraInfo of an image."""
    t = ros2_types().types
    P = camera.P
    if not P.any() and not camera.has_distortion:
        P = np.hstack([camera.K, np.zeros((3, 1))])
    distortion = camera.distortion if camera.distortion.size else np.zeros(5)
    return t['sensor_msgs/msg/CameraInfo'](
        header=_header(stamp_ns, 'camera_optical_frame'), height=camera.height,
        width=camera.width, distortion_model=camera.distortion_model or 'plumb_bob',
        d=distortion.copy(), k=camera.K.ravel(), r=camera.R.ravel(), p=P.ravel(), binning_x=0,
        binning_y=0, roi=t['sensor_msgs/msg/RegionOfInterest'](0, 0, 0, 0, False))
