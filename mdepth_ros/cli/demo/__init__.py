"""``mdepth demo``: material, the node and a recorder in processes of their own, and a report."""
