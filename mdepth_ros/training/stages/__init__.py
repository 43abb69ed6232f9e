"""The three stages of the method: what each learns from, and its loop."""
