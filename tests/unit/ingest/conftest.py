"""The Kafka client reads its own resources in a way that Python deprecates; its first import is the only place."""

import warnings

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)
    import kafka  # noqa: F401  imported for what it says while it loads
