"""The service of lab 02: conducts experiments on the data half of the chain."""
