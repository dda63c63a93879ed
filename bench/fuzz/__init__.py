"""Random and mutated requests: none may bring the receiver down, and none that is not signed may be stored."""
