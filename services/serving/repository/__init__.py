"""Which versions are in memory, which of them answers for a name, and which goes when there is no room."""
