"""The two ways of running a model that are compared with its single-frame depth."""

from mdepth_ros.config import Method

# Each by the name that it has in the results.
METHODS: dict[str, Method] = {'published': 'published', 'ours': 'robust'}
