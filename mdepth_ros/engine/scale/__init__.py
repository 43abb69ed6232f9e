"""Metres per network unit: where they come from, and how depth follows without a jump."""
