"""What may be told to whom, how and when. Pure: the caller looks the facts up."""
