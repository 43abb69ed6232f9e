"""What each part of the method is worth, measured on synthetic scenes over several seeds."""
