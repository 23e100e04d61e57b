"""Lab 01: architecture patterns that can be measured, each in a role of its own, one role per pod.

gateway   the three use cases, guarded by circuit breaker and bulkhead; conducts the experiments
delays    streaming read model of departures
analyst   batch, micro-batch and streaming; Lambda and Kappa; event sourcing with CQRS
centre    receives the sites' readings, coordinates federated learning
edge      one site: its own readings, its own disk, a link that can be cut
scaler    event-driven autoscaling, down to zero
worker    works off jobs
"""
