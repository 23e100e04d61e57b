"""Models that answer by asking others: ensembles, cascades and routes."""
