"""Install mdepth_ros with pip or colcon; what it is made of stands in setup.cfg."""

from setuptools import setup

setup(
    # Here and not in setup.cfg: colcon reads data_files from the setup() call.
    data_files=[
        ('share/ament_index/resource_index/packages', ['resource/mdepth_ros']),
        ('share/mdepth_ros', ['package.xml']),
        ('share/mdepth_ros/launch', ['launch/depth.launch.py']),
        ('share/mdepth_ros/config', [
            'config/depth.yaml', 'config/mdepth.rviz', 'config/fastdds.xml',
            'config/nav2_costmap.yaml',
        ]),
    ],
)
