"""The experiments: each measures one question about data on the running stack, and hands back that run's figures."""
