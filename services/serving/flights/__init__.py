"""Predictions for people: a flight in, its delay and the alternatives out."""
