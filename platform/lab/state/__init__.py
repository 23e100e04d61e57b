"""Recorded state: collects what a lab's checks look at, takes secrets out, keeps it as a file."""
