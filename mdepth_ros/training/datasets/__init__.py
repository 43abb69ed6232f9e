"""Where frames come from: folders, KITTI, synthetic scenes; and the samples made of them."""
