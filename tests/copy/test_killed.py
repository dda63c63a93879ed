"""What a running copy does when a process is killed. Nothing here is repaired by hand."""

import shutil

from tests.copy.running import CALLERS, COUPLE, Outsider
from tests.polling import until

TIMELINE = {"/bookings/timeline"}


def test_a_worker_killed_in_the_middle_of_a_call_loses_nothing(outsider: Outsider) -> None:
    outsider.fault("studio_cloud", "latency", seconds=2.5, count=1)
    moved = outsider.move_ceremony()
    until(lambda: outsider.calls("studio_cloud"), what="the call")

    killed = outsider.copy.kill("worker-high")

    (taken,) = outsider.arrived("studio_cloud", f'"to": "{moved}"', TIMELINE, seconds=25)
    again = until(lambda: outsider.calls("studio_cloud")[1:], 25, what="the second call")
    keys = {call["idempotency_key"] for call in outsider.calls("studio_cloud")}
    assert keys == {taken["headers"]["idempotency-key"]}
    until(lambda: outsider.calls("studio_cloud")[-1]["status"] == 200, what="its answer")
    assert len(outsider.messages("studio_cloud", f'"to": "{moved}"')) == 1, again
    outsider.arrived("whatsapp", moved, CALLERS)
    assert outsider.copy.recorded()["worker-high"] != killed


def test_redis_killed_and_emptied_after_the_answer_loses_nothing(outsider: Outsider) -> None:
    event = outsider.capacity_event()
    with outsider.socket() as socket:
        socket.subscribe(outsider.facts["channels"]["couple"])
        assert outsider.post_webhook(event).status_code == 202

        killed = outsider.copy.kill("valkey")
        for kept in (outsider.copy.home / "valkey").iterdir():
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()

        assert socket.frame()["event"]["payload"]["capacity"] == event["payload"]["max_capacity"]
    told = f"→ {event['payload']['max_capacity']}"
    outsider.arrived("whatsapp", told, COUPLE, seconds=30)
    outsider.arrived("slack", told, {"#catering"}, seconds=30)
    until(lambda: outsider.copy.recorded().get("valkey", killed) != killed, what="another Valkey")
    later = outsider.capacity_event()
    assert outsider.post_webhook(later).status_code == 202
    outsider.arrived("whatsapp", f"→ {later['payload']['max_capacity']}", COUPLE, seconds=15)
