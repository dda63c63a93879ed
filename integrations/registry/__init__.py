"""Registries that the apps above this one fill in when they start: targets, senders, followers, accounts."""
