"""The control API under `/_/`, with which tests and people control the sandbox."""
