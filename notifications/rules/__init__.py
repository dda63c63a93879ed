"""Who may be told what, how and when. Pure: the caller looks the facts up."""
