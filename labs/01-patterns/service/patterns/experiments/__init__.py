"""The experiments: each measures one pattern in the running lab and hands back figures of that run only."""
