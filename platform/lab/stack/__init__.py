"""What runs on the cluster: Helm releases of the platform, and each lab's own manifests."""
