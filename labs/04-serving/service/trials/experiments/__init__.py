"""The experiments: each measures one question about serving on the running stack, and hands back that run's figures."""
