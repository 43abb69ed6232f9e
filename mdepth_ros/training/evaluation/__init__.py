"""Scoring the estimator on data whose depth is known."""
