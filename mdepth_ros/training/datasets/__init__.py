"""Where frames come from: folders, KITTI, synthetic scenes."""
