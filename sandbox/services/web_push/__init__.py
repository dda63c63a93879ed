"""A push service and the browsers behind it: checks VAPID, decrypts, shows what a phone would."""
