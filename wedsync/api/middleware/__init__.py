"""What surrounds every page and endpoint: spellings of paths, policies for browsers, refusals, the guard of sign-in."""
