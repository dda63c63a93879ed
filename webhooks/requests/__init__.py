"""Reading a request outside Django: its body, its content type, its signature, and its refusal."""
