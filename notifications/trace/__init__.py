"""Why a message went, or did not."""
