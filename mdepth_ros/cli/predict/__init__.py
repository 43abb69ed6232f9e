"""``mdepth predict``: the depth of a whole recording, as files, clouds, a video and a bag."""
