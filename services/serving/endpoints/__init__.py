"""Where requests come in: HTTP and gRPC, inference and administration."""
