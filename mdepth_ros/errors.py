"""What the package raises for bad input: one base class, one line of text for the user."""


class MdepthError(Exception):
    """A known problem; its text is one line that says what came and what was expected."""


class BadImage(MdepthError):
    """An image that cannot be decoded, or has another size than its camera."""


class BadCamera(MdepthError):
    """Calibration that no camera has: zeros, NaN, wrong sizes, an unknown distortion model."""


class CheckpointError(MdepthError):
    """A weights file that is missing, truncated, foreign or of another architecture."""
