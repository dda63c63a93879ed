"""The channel layer's patience."""

from channels.layers import get_channel_layer
from django.conf import settings

from wedsync.live.layer import PatientRedisLayer


def test_a_quiet_channel_is_no_broken_connection() -> None:
    layer = get_channel_layer()

    assert isinstance(layer, PatientRedisLayer)
    (host,) = settings.CHANNEL_LAYERS["default"]["CONFIG"]["hosts"]
    assert host["socket_timeout"] > layer.brpop_timeout
