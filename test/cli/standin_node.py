"""A node with mdepth's interface and no networks: a plane in front of the camera."""

import os
import sys

import numpy as np
import rclpy
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from nav_msgs.msg import Odometry
from rclpy.executors import ExternalShutdownException
from rclpy.lifecycle import LifecycleNode, TransitionCallbackReturn
from rclpy.qos import qos_profile_sensor_data
from sensor_msgs.msg import CameraInfo, Image, PointCloud2

from mdepth_ros.ros.messages import bgr_image, dense_cloud, metres_image, organised_cloud

SUCCESS, FAILURE = TransitionCallbackReturn.SUCCESS, TransitionCallbackReturn.FAILURE
TOPICS = {'depth/image': Image, 'depth/camera_info': CameraInfo, 'depth/points': PointCloud2,
          'depth/points_filtered': PointCloud2, 'depth/confidence': Image, 'depth/color': Image,
          'odometry': Odometry, '/diagnostics': DiagnosticArray}


class Standin(LifecycleNode):

    def __init__(self):
        super().__init__('mdepth')
        self.behaviour = self.declare_parameter('weights', '').value.rsplit('/', 1)[-1]
        for name, default in (('image_transport', 'raw'), ('image_is_rectified', True),
                              ('scale.mode', 'fixed')):
            self.declare_parameter(name, default)
        self.info = None
        self.images = 0

    def on_configure(self, state):
        if self.behaviour == 'refuse':
            self.get_logger().error('the weights are not there')
            return FAILURE
        self.made = {name: self.create_publisher(kind, name, 5) for name, kind in TOPICS.items()}
        return SUCCESS

    def on_activate(self, state):
        self.create_subscription(CameraInfo, 'camera_info', self.on_info, 10)
        self.create_subscription(Image, 'image', self.on_image, qos_profile_sensor_data)
        return SUCCESS

    def on_deactivate(self, state):
        return SUCCESS

    def on_cleanup(self, state):
        return SUCCESS

    def on_shutdown(self, state):
        return SUCCESS

    def on_info(self, info):
        self.info = info

    def on_image(self, image):
        self.images += 1
        if self.behaviour == 'die' and self.images == 3:
            print('segfault-like end of the node', flush=True)
            os._exit(3)
        h, w = image.height, image.width
        y, x = np.mgrid[:h, :w].astype(np.float32)
        f = np.float32(self.info.k[0])
        depth = (8.0 + 0.02 * (x - w / 2)).astype(np.float32)
        depth[: h // 6] = np.inf
        depth[:, :3] = np.nan
        rays = [(x - w / 2) / f, (y - h / 2) / f, np.ones_like(x)]
        points = (np.stack(rays, -1) * depth[..., None]).astype(np.float32)
        points[~np.isfinite(points).all(axis=-1)] = np.nan
        rgb = np.frombuffer(image.data, np.uint8).reshape(h, w, 3)
        finite = np.isfinite(points).all(axis=-1)
        header = image.header
        send = {name: publisher.publish for name, publisher in self.made.items()}
        send['depth/image'](metres_image(depth, header))
        send['depth/camera_info'](CameraInfo(header=header, height=h, width=w, k=self.info.k))
        send['depth/points'](organised_cloud(points, rgb, header))
        send['depth/points_filtered'](dense_cloud(points[finite][::9], rgb[finite][::9], header))
        confidence = (x / w).astype(np.float32)
        send['depth/confidence'](metres_image(confidence, header))
        send['depth/color'](bgr_image(np.ascontiguousarray(rgb[..., ::-1]), header))
        send['odometry'](Odometry(header=header))
        status = DiagnosticStatus(name='mdepth', values=[
            KeyValue(key='mode', value='multi' if self.images > 1 else 'single'),
            KeyValue(key='images_replaced', value='0')])
        send['/diagnostics'](DiagnosticArray(header=header, status=[status]))


def main():
    rclpy.init()
    try:
        rclpy.spin(Standin())
    except (KeyboardInterrupt, ExternalShutdownException):
        return


if __name__ == '__main__':
    sys.exit(main())
