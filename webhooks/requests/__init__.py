"""Reading a request beside Django: its body, its content type, its signature, and how it is refused."""
