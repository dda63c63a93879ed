"""Why a message was sent, or was not."""
