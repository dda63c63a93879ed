"""What a person sees of a running copy: its progress, its address, its log files."""
