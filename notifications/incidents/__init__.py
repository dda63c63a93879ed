"""Emergencies: who is told, in what order, until somebody takes care of it."""
