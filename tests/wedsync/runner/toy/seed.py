"""Writes the demo's description, as the real seeding does."""

import json
import os
from pathlib import Path

base = os.environ["WEDSYNC_PUBLIC_URL"]
(Path(os.environ["WEDSYNC_HOME"]) / "demo.json").write_text(
    json.dumps(
        {
            "base_url": base,
            "sandbox_url": os.environ["WEDSYNC_SANDBOX_URL"],
            "admin": {"username": "admin", "password": "correct horse"},
            "wedding": {"id": "0197-wedding"},
            "couple_url": f"{base}/couple/open/token/",
            "connections": {
                "venue_master": {"url": f"{base}/api/webhooks/channel-events/c1", "secret": "it's a $ecret! \\"}
            },
        }
    )
)
