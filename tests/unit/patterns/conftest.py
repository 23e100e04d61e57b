"""What all tests of the patterns stand on."""

import warnings

# Kafka's client calls a deprecated function while it is imported. That is not ours to mend, and a warning is an error
# from here on: so it is imported once, before.
with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import patterns.broker  # noqa: F401  for its effect
