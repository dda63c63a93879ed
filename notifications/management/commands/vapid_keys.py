"""``manage.py vapid_keys``: makes a pair of VAPID keys for web push."""

from base64 import urlsafe_b64encode
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from django.core.management.base import BaseCommand


class Command(BaseCommand):
    """Only prints: nothing is stored, and a pair in use stays as it is."""

    help = "Make a pair of VAPID keys and print the line for the environment."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Print a new private key, and the public one that follows from it."""
        made = ec.generate_private_key(ec.SECP256R1())
        private = made.private_numbers().private_value.to_bytes(32, "big")
        public = made.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
        self.stdout.write(f"# public: {_text(public)}")
        self.stdout.write(f"WEDSYNC_VAPID_PRIVATE_KEY={_text(private)}")
        self.stderr.write("Keep the private key like a password. Another pair ends all subscriptions.")


def _text(raw: bytes) -> str:
    return urlsafe_b64encode(raw).decode().rstrip("=")
