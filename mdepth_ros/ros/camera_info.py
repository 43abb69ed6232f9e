"""CameraInfo messages to cameras and back."""

import numpy as np
from sensor_msgs.msg import CameraInfo
from std_msgs.msg import Header

from mdepth_ros.engine.camera import Camera, Matrix, resize_matrix
from mdepth_ros.errors import BadCamera


def camera_from_info(info: CameraInfo) -> Camera:
    """
    Read the camera of the images that come with a CameraInfo.

    :param info: as published; binning and region of interest are applied, so that width and height
        are those of the image.
    :return: its camera. An R of zeros, which many drivers send, is the identity.
    :raises BadCamera: if it is not calibrated, or what is wrong with it.
    """
    try:
        return _camera_from_info(info)
    except BadCamera as error:
        raise BadCamera(f'camera_info of frame {info.header.frame_id!r}: {error}') from error


def _camera_from_info(info: CameraInfo) -> Camera:
    """Do the work, with errors that do not name the message yet."""
    K = np.array(info.k).reshape(3, 3)
    if not K.any():
        raise BadCamera('camera is not calibrated (K is all zeros); calibrate it, e.g. with '
                        'camera_calibration, or give the driver its camera file')
    P = np.array(info.p).reshape(3, 4)
    R = np.array(info.r).reshape(3, 3)
    left, top, width, height = _region(info)
    binning_x, binning_y = max(info.binning_x, 1), max(info.binning_y, 1)
    if width < binning_x or height < binning_y:
        raise BadCamera(f'nothing is left of {width} x {height} pixels after binning by '
                        f'{binning_x} x {binning_y}')
    # A binned pixel is a mean of whole pixels, so centres move as in a resize. image_geometry
    # divides the principal point alone, which is a quarter of a pixel off for a binning of two.
    K = _crop_and_bin(K, left, top, binning_x, binning_y)
    if P.any():
        square = _crop_and_bin(P[:, :3], left, top, binning_x, binning_y)
        P = np.hstack([square, P[:, 3:] / [[binning_x], [binning_y], [1.0]]])
    return Camera(width // binning_x, height // binning_y, K, np.array(info.d),
                  info.distortion_model, R if R.any() else np.eye(3), P)


def info_from_camera(camera: Camera, header: Header) -> CameraInfo:
    """
    Describe a published, undistorted image.

    :param camera: camera without distortion, e.g. of :func:`resized_camera`.
    :param header: header of the image, whose stamp and frame are copied.
    :return: K, P, R identity, D of zeros.
    :raises ValueError: if the camera has distortion.
    """
    if camera.has_distortion:
        raise ValueError(f'camera must be undistorted, got {camera.distortion_model} '
                         f'{camera.distortion.tolist()}')
    info = CameraInfo(width=camera.width, height=camera.height, distortion_model='plumb_bob')
    info.header.stamp.sec = header.stamp.sec
    info.header.stamp.nanosec = header.stamp.nanosec
    info.header.frame_id = header.frame_id
    info.d = [0.0] * 5
    info.k = camera.rectified_K().ravel()
    info.r = np.eye(3).ravel()
    info.p = np.hstack([camera.rectified_K(), camera.P[:, 3:]]).ravel()
    return info


def info_message(camera: Camera, frame_id: str = 'camera_optical_frame') -> CameraInfo:
    """
    Describe the images as they arrive, distortion included.

    Not the CameraInfo of what the node publishes, which has no distortion and identity for R: that
    is :func:`info_from_camera`.

    :param camera: their camera.
    :param frame_id: their frame.
    :return: a CameraInfo without a stamp; P is K where it is not known and not needed.
    """
    info = CameraInfo(width=camera.width, height=camera.height,
                      distortion_model=camera.distortion_model or 'plumb_bob')
    info.header.frame_id = frame_id
    info.d = camera.distortion.tolist() or [0.0] * 5
    info.k = camera.K.ravel()
    info.r = camera.R.ravel()
    info.p = camera.P.ravel()
    if not camera.P.any() and not camera.has_distortion:
        info.p = np.hstack([camera.K, np.zeros((3, 1))]).ravel()
    return info


def _region(info: CameraInfo) -> tuple[int, int, int, int]:
    """Return left, top, width, height of the region of interest; all zeros is the full image."""
    roi = info.roi
    if roi.width == 0 and roi.height == 0:
        return 0, 0, info.width, info.height
    if (roi.width == 0 or roi.height == 0 or roi.x_offset + roi.width > info.width
            or roi.y_offset + roi.height > info.height):
        raise BadCamera(f'region of interest of {roi.width} x {roi.height} at ({roi.x_offset}, '
                        f'{roi.y_offset}) must lie in the image of {info.width} x {info.height}')
    return roi.x_offset, roi.y_offset, roi.width, roi.height


def _crop_and_bin(K: Matrix, left: int, top: int, binning_x: int, binning_y: int) -> Matrix:
    """Move intrinsics of the full image to those of its region, binned."""
    cropped = K.copy()
    cropped[0, 2] -= left
    cropped[1, 2] -= top
    return resize_matrix(cropped, 1.0 / binning_x, 1.0 / binning_y)
