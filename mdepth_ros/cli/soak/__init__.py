"""``mdepth soak``: the node under load for as long as asked, and whether it lasts."""
