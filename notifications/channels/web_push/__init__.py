"""Web Push: subscriptions of people's browsers, their encryption, our VAPID keys, and the layout within 3 KB."""
