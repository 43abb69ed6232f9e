"""What ROS messages mean, without ROS: rclpy's and rosbags' objects alike."""
