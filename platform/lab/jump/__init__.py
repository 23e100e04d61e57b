"""From whatever stands to a lab's start, its solution, or a trainee's own state of before."""

from lab.jump.engine import SOLVED, START, Jumped, goto, keep, reset, restore, stash, up

__all__ = ["SOLVED", "START", "Jumped", "goto", "keep", "reset", "restore", "stash", "up"]
