"""From a route to the people it means, and to one delivery per address."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone

from integrations.models import Route, System
from integrations.states import Reason
from integrations.targets import Plan, ill_system
from notifications import policy
from wedsync.live.catalogue import CATALOGUE
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.models import Address, Channel, Contact, Membership

_SYSTEM_KINDS = {Channel.WHATSAPP: System.Kind.WHATSAPP, Channel.EMAIL: System.Kind.EMAIL}


def expand(route: Route, event: ChannelEvent, priority: Priority) -> Iterable[Plan]:
    """The deliveries of a route to people: a team's Slack channel, and each person on each channel.

    What tells of WedSync and its systems is for no wedding's people, but for staff.
    """
    team = route.system
    if team and team.kind == System.Kind.SLACK and (not route.channels or Channel.SLACK in route.channels):
        yield Plan(Route.Target.PEOPLE, str(team.id), Channel.SLACK, team)
    senders = _sending_systems(route, besides=ill_system(event))
    if CATALOGUE[event.type].is_about_us:
        yield from _to_staff(route, senders)
        return
    now = timezone.now()
    for contact in _people(route, event):
        yield from _plans_for(contact, route, senders, priority, now)


def _to_staff(route: Route, senders: dict[Channel, System]) -> Iterable[Plan]:
    """A mail to each owner and each member of the support, where the route does not name other channels only."""
    sender = senders.get(Channel.EMAIL)
    if sender is None or (route.channels and Channel.EMAIL not in route.channels):
        return
    staff = Membership.objects.filter(
        organization_id=route.organization_id,
        role__in=[Membership.Role.OWNER, Membership.Role.SUPPORT],
        user__is_active=True,
    )
    addresses = sorted(
        {in_one_form(Channel.EMAIL, mail) for mail in staff.values_list("user__email", flat=True) if mail}
    )
    mails = Address.objects.filter(organization_id=route.organization_id, channel=Channel.EMAIL, value__in=addresses)
    rows = {row.value: row for row in mails}
    for address in addresses:
        standing = policy.blocked_because(Channel.EMAIL, rows.get(address))
        yield Plan(Route.Target.PEOPLE, address, Channel.EMAIL, sender, skipped=standing)


def _people(route: Route, event: ChannelEvent) -> list[Contact]:
    if event.wedding is None:
        return []
    of_wedding = Contact.objects.filter(organization_id=event.organization_id, wedding=event.wedding)
    people = list(of_wedding.filter(role__in=route.roles).order_by("call_order", "id"))
    if route.contact and route.contact.organization_id == event.organization_id:
        people.append(route.contact)
    return people


def _sending_systems(route: Route, *, besides: str | None = None) -> dict[Channel, System]:
    """The newest system of each kind; a paused one only where none is active, a disabled one never.

    ``besides``: the id of one that is not to be used.
    """
    systems = System.objects.filter(organization_id=route.organization_id, kind__in=_SYSTEM_KINDS.values())
    if besides:
        systems = systems.exclude(id=besides)
    usable = systems.exclude(state=System.Status.DISABLED).order_by("id")
    by_kind = {system.kind: system for system in sorted(usable, key=lambda each: each.state == System.Status.ACTIVE)}
    return {channel: by_kind[kind] for channel, kind in _SYSTEM_KINDS.items() if kind in by_kind}


def _plans_for(
    contact: Contact, route: Route, senders: dict[Channel, System], priority: Priority, now: datetime
) -> Iterable[Plan]:
    addresses = {channel: _normalized(channel, contact) for channel in senders}
    rows = {
        Channel(row.channel): row
        for row in Address.objects.filter(organization_id=contact.organization_id, value__in=addresses.values())
    }
    standing = {channel: policy.blocked_because(channel, rows.get(channel)) for channel in senders}
    for channel in policy.channels_for(contact, route.channels, standing):
        if channel not in senders:
            continue
        quiet = policy.quiet_until(contact, priority, now)
        yield Plan(
            Route.Target.PEOPLE,
            addresses[channel],
            channel,
            senders[channel],
            contact,
            skipped=standing[channel],
            held_until=quiet,
            held_because=Reason.QUIET_HOURS if quiet else Reason.NONE,
        )


def _normalized(channel: Channel, contact: Contact) -> str:
    return in_one_form(channel, contact.address(channel))
