"""Emergencies: who is told, and in what order, until somebody takes care of them."""
