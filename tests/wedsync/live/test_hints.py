"""What leaves for the queues of the workers."""

from uuid import uuid4

import redis
from django.conf import settings

from tests.polling import until
from wedsync.live.fan_out import hints
from wedsync.live.fan_out.hints import DeliveryHint


def test_counted_messages_that_were_lost_do_not_keep_a_busy_system_from_getting_others() -> None:
    client, system = redis.Redis.from_url(settings.BROKER_URL), str(uuid4())
    hint = DeliveryHint(str(uuid4()), "high", system)
    key = hints._messages_key("high", system)
    client.set(key, hints.MESSAGES_A_SYSTEM, px=500)
    assert not hints._with_room([hint])

    until(lambda: hints._with_room([hint]))

    assert 0 < client.ttl(key) <= hints.MESSAGES_KNOWN_FOR


def test_nobody_is_sent_to_a_system_that_rests_but_for_what_is_urgent() -> None:
    system = uuid4()
    normal, urgent = (DeliveryHint(str(uuid4()), queue, str(system)) for queue in ("normal", "urgent"))
    hints.rest(system, 0.4)

    assert hints._with_room([normal, urgent]) == [urgent]
    until(lambda: hints._with_room([normal]), 2, what="the end of the rest")
