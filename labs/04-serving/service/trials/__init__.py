"""The service of lab 04: conducts experiments on servers of models, and on releases of their versions."""
