"""How requests from outside prove who sent them, and how ours do. Pure."""
