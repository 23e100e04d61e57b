"""The feature service: Feast's feature server over HTTP, compiled read plans, one round trip to Redis."""
