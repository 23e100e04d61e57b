"""The way of every valid event into the lake: its first, unrefined table of each topic."""
