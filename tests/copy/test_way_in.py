"""What the runner prints, tried as a person would."""

import html
import json
import os
import re
import subprocess
import sys

from tests.copy.running import Outsider
from tests.polling import until
from tests.wedsync.runner.copies import ROOT
from wedsync.runner.environment import unconfigured


def test_the_printed_line_pasted_into_a_shell_brings_a_message_each_time(outsider: Outsider) -> None:
    printed = outsider.copy.printed.read_text()
    line = re.search(r"^\( t=.*?&& echo \)$", printed, re.MULTILINE | re.DOTALL)
    assert line, printed

    accepted, lines = [], []
    for times in (1, 2):
        pasted = subprocess.run(["sh"], input=line[0], capture_output=True, text=True, timeout=10, check=True)
        accepted.append(json.loads(pasted.stdout))
        told = until(lambda: _told(outsider, times), 15, what="the couple's message")  # noqa: B023
        lines.append(told)

    assert [answer["status"] for answer in accepted] == ["accepted", "accepted"]
    assert accepted[0]["id"] != accepted[1]["id"]
    page = html.unescape(outsider.session.get(outsider.facts["sandbox_url"] + "/", timeout=10).text)
    assert all(told in page for told in lines)


def test_a_command_joins_the_running_copy_and_plays_a_vendor(outsider: Outsider) -> None:
    environment = unconfigured(os.environ) | {"WEDSYNC_HOME": str(outsider.copy.home)}
    command = [sys.executable, "manage.py", "send_fixture", "venue_master", "guest_count.changed", "--booking"]

    played = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=30, check=False)

    assert played.returncode == 0, played.stdout + played.stderr
    assert "202 Accepted" in played.stdout
    assert '"status":"accepted"' in played.stdout


def _told(outsider: Outsider, times: int) -> str:
    """What the couple was told about the capacity last, once each of the two was told so often."""
    texts = [message["text"] for message in outsider.messages("whatsapp", "Capacity: ")]
    lines = [found[0] for text in texts if (found := re.search(r"Capacity: [\d,]+ → [\d,]+", text))]
    return lines[-1] if len(lines) >= 2 * times else ""
