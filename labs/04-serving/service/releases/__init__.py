"""The service of lab 04: the release controller, which takes a new model version into use or back out of it."""
