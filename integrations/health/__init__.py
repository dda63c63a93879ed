"""How systems and our own processes are doing."""
