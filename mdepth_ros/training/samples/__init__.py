"""From sequences to batches: neighbours, views, colours, followed points."""
