"""An alert on its whole way: from the refused call to Slack and to the owner's mail, and not through the ill system."""

from typing import Any

import requests

from integrations.models import Alert, Delivery, HealthReading, Heartbeat, System
from tests.factories import MembershipFactory
from tests.live.world import World
from tests.polling import until
from wedsync.live.models import ChannelEntry


def mails(world: World, to: str) -> list[dict[str, Any]]:
    return world.product.messages("resend", to)


def test_a_refused_credential_is_told_on_slack_and_by_mail_and_on_the_live_channel(world: World) -> None:
    owner = f"owner-{world.organization.slug}@staff.example"
    MembershipFactory(organization=world.organization, user__email=owner)
    world.product.fault("studio_cloud", "status", status=401, count=1)

    world.patch(ceremony_time="16:00")

    (mail,) = until(lambda: mails(world, owner))
    (post,) = until(lambda: world.product.messages("slack", world.slack_channel))
    assert "studio_cloud" in mail["text"]
    assert "refuses our credentials" in mail["text"]
    assert "refuses our credentials" in str(post["body"])
    world.systems["studio_cloud"].refresh_from_db()
    assert world.systems["studio_cloud"].state == System.Status.PAUSED
    channel = f"ops:health:{world.organization.pk}"
    assert ChannelEntry.objects.get(channel__name=channel).event.type == "ops.alert_raised"
    answer = requests.get(f"{world.product.base_url}/api/integrations/health/", headers=world.headers, timeout=5).json()
    assert [alert["cause"] for alert in answer["alerts"]] == ["system_stopped"]


def test_slack_that_is_gone_is_told_by_mail_alone_and_what_it_was_to_tell_too(world: World) -> None:
    owner = f"owner-{world.organization.slug}@staff.example"
    MembershipFactory(organization=world.organization, user__email=owner)
    world.product.fault("slack", "status", status=410, count=1)

    world.capacity(180)

    (_mail,) = until(lambda: [mail for mail in mails(world, owner) if "target is gone" in mail["text"]])
    (_news,) = until(lambda: [mail for mail in mails(world, owner) if "now holds 180 guests" in mail["text"]])
    alert = Alert.objects.get(organization=world.organization)
    assert alert.system == world.systems["slack"]
    told = Delivery.objects.filter(event__type="ops.alert_raised", organization=world.organization)
    assert {delivery.channel for delivery in told} == {"email"}


def test_the_processes_give_signs_of_life_and_the_worker_sweeps_when_asked(world: World) -> None:
    until(lambda: {"web", "sweep"} <= set(Heartbeat.objects.values_list("name", flat=True)))

    health_before = Heartbeat.objects.filter(name="health").values_list("at", flat=True).first()
    from wedsync.celery import app

    app.send_task("integrations.health_sweep", queue="high")

    until(lambda: Heartbeat.objects.filter(name="health").exclude(at=health_before).exists())
    assert HealthReading.objects.filter(system=world.systems["slack"]).exists()
