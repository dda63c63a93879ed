"""Random and mutated requests: none may bring the receiver down, and no unsigned one may be stored."""
