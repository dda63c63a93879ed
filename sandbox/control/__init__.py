"""The control API under `/_/`, by which tests and people steer the sandbox."""
