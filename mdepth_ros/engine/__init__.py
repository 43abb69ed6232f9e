"""What runs on the robot, without ROS."""
