"""Each process killed or frozen, each target broken in every way, and nothing that was taken is lost."""
