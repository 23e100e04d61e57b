"""One version of a model: examined, in memory, run alone or together with other requests."""
