"""What vendors send: received, judged, stored; and what follows where it cannot be taken."""
