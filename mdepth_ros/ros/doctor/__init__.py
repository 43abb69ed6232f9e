"""What `mdepth doctor` looks at where there is ROS: its installation, transport and topics."""
