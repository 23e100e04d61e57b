"""Statistics of a release: pure functions, each with the source of its method.

Every test here may be looked at after each interval, for as long as one likes, and stopped at any time: the chance of
a false alarm is bounded over all looks together, not for each of them.
"""
