"""Resolves a route to people, and to one delivery per person and channel. Reads only, since dry runs use it too."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from django.db.models import prefetch_related_objects
from django.utils import timezone

from integrations.models import Route, System
from integrations.registry.targets import PlannedDelivery, troubled_system
from integrations.states import Reason
from notifications.consent import wishes
from notifications.plans import in_force
from notifications.rules import plan_steps, policy
from notifications.rules.policy import PERSONAL, ContactPoint
from notifications.wording import own
from notifications.wording.languages import DEFAULT_LANGUAGE
from wedsync.live.event_types.catalogue import is_custom, type_of
from wedsync.live.models import ChannelEvent
from wedsync.queues import Priority
from wedsync.weddings.addresses import in_one_form
from wedsync.weddings.models import Address, Contact, ContactChannel, Membership

_TYPED = tuple(channel for channel in PERSONAL if channel.addresses.field)
_SYSTEM_KINDS = {channel: System.Kind(channel.value) for channel in PERSONAL}
LAST = 2**15
Senders = Mapping[ContactChannel, System]


@dataclass(frozen=True)
class Person:
    """One person, who may be several of a wedding's contacts: those with the same phone or email address.

    ``contact``: the first of them by call order. ``points``: every channel, with or without an address; one email
    address but every phone, since two people may share a mailbox, and each is woken only by their own phone; and every
    device that one of them has registered.
    """

    contact: Contact
    contacts: tuple[Contact, ...]
    points: tuple[ContactPoint, ...]

    @property
    def key(self) -> str:
        """The key by which a notification names this recipient."""
        return f"contact:{self.contact.id}"


def expand(route: Route, event: ChannelEvent, priority: Priority) -> Iterable[PlannedDelivery]:
    """The deliveries of a route to people: a team's Slack channel, and each person on each channel.

    Events about WedSync and its systems go to staff, never to a wedding's people. Clients' own types go to those for
    whom the organization has a template.
    """
    team = route.system
    if is_custom(event.type) and event.wedding is None:
        return
    if team and team.kind == System.Kind.SLACK and (not route.channels or ContactChannel.SLACK in route.channels):
        worded = own.worded(event)(DEFAULT_LANGUAGE, ContactChannel.SLACK)
        yield to_team(team) if worded else replace(to_team(team), skipped=Reason.NO_TEMPLATE)
    senders = sending_systems(route.organization_id, besides=troubled_system(event))
    if type_of(event.type).is_about_us:
        if not route.channels or ContactChannel.EMAIL in route.channels:
            yield from to_staff(route.organization_id, senders)
        return
    channels = route.channels or _first_channels(event)
    now = timezone.now()
    for person in people(route, event):
        yield from to_person(person, channels, senders, priority, now)


def to_team(team: System) -> PlannedDelivery:
    """A message to a team's Slack channel."""
    return PlannedDelivery(
        Route.Target.PEOPLE, str(team.id), ContactChannel.SLACK, team, recipient=f"team:{team.id}", name=team.name
    )


def to_staff(organization_id: UUID, senders: Senders) -> Iterable[PlannedDelivery]:
    """An email to each owner and each member of support."""
    return _to_members(organization_id, senders, [Membership.Role.OWNER, Membership.Role.SUPPORT])


def to_planners(organization_id: UUID, senders: Senders) -> Iterable[PlannedDelivery]:
    """An email to each planner, where there is neither an owner nor support to be told."""
    return _to_members(organization_id, senders, [Membership.Role.PLANNER])


def _to_members(organization_id: UUID, senders: Senders, roles: Sequence[Membership.Role]) -> Iterable[PlannedDelivery]:
    sender = senders.get(ContactChannel.EMAIL)
    if sender is None:
        return
    staff = Membership.objects.filter(organization_id=organization_id, role__in=roles, user__is_active=True)
    addresses = sorted(
        {in_one_form(ContactChannel.EMAIL, mail) for mail in staff.values_list("user__email", flat=True) if mail}
    )
    mails = Address.objects.filter(organization_id=organization_id, channel=ContactChannel.EMAIL, value__in=addresses)
    rows = {row.value: row for row in mails}
    for address in addresses:
        standing = policy.blocked_because(ContactChannel.EMAIL, rows.get(address))
        yield PlannedDelivery(
            Route.Target.PEOPLE,
            address,
            ContactChannel.EMAIL,
            sender,
            skipped=standing,
            recipient=f"staff:{address}",
            name=address,
        )


def to_person(
    person: Person, channels: Sequence[str], senders: Senders, priority: Priority, now: datetime
) -> Iterable[PlannedDelivery]:
    """Deliveries on each named channel, even a blocked one, so that staff see why; or on the preferred channel."""
    points = [point for point in person.points if point.channel in senders]
    closed: list[ContactPoint] = []
    if plan_steps.PREFERRED in channels or plan_steps.OTHER in channels:
        order = policy.preferred(person.contact, points, urgent=priority == Priority.URGENT)
        chosen = policy.by_one_channel(order or points[:1])
        closed = [point for point in points if point.against and point.channel not in {each.channel for each in chosen}]
        points = chosen
    else:
        points = [point for point in points if point.channel in channels]
    passed_over = tuple(dict.fromkeys((str(point.channel.value), point.against) for point in closed))
    for point in points:
        yield replace(planned_for(person, point, senders[point.channel], priority, now), passed_over=passed_over)


def planned_for(
    person: Person, point: ContactPoint, sender: System, priority: Priority, now: datetime
) -> PlannedDelivery:
    """A delivery to a person on one channel, held during their quiet hours."""
    quiet = None if point.against else policy.quiet_until(point.contact, priority, now)
    return PlannedDelivery(
        Route.Target.PEOPLE,
        point.address or person.key,
        point.channel,
        sender,
        point.contact,
        skipped=point.against,
        held_until=quiet,
        held_because=Reason.QUIET_HOURS if quiet else Reason.NONE,
        recipient=person.key,
        name=person.contact.name,
    )


def people(route: Route, event: ChannelEvent) -> list[Person]:
    """The people whom a route reaches, each once, in the order in which they are called."""
    if event.wedding is None:
        return []
    everybody = list(Contact.objects.filter(organization_id=event.organization_id, wedding=event.wedding))
    named = route.contact
    if named and named.organization_id == event.organization_id and named not in everybody:
        everybody.append(named)
    meant = {contact.id for contact in everybody if route.everyone or contact.role in route.roles or contact == named}
    return [person for person in persons(everybody, event) if any(each.id in meant for each in person.contacts)]


def of_wedding(organization_id: UUID, wedding_id: UUID, event: ChannelEvent) -> list[Person]:
    """Everyone involved in a wedding, with what prevents telling them of an event."""
    return persons(list(Contact.objects.filter(organization_id=organization_id, wedding_id=wedding_id)), event)


def person_of(contact: Contact, event: ChannelEvent) -> Person | None:
    """The person behind a contact, with the wedding's other contacts that are the same person."""
    found = of_wedding(contact.organization_id, contact.wedding_id, event)
    return next((person for person in found if contact in person.contacts), None)


def same_person(contact: Contact) -> list[UUID]:
    """The ids of a wedding's contacts that are the same person as this one, itself included."""
    everybody = list(Contact.objects.filter(organization_id=contact.organization_id, wedding_id=contact.wedding_id))
    groups = _same_person(sorted(everybody, key=_call_order))
    return [each.id for group in groups if contact in group for each in group]


def in_call_order(organization_id: UUID, wedding_id: UUID, event: ChannelEvent) -> list[Person]:
    """The people who must acknowledge an emergency, by call order; the coordinators where nobody has one.

    The first alert asks these people and the escalation calls them; nothing else decides it.
    """
    found = of_wedding(organization_id, wedding_id, event)
    called = [person for person in found if person.contact.call_order is not None]
    return called or [person for person in found if is_coordinator(person)]


def is_coordinator(person: Person) -> bool:
    """Whether a person is one of the wedding's coordinators, under any of its contacts."""
    return any(contact.role == Contact.Role.COORDINATOR for contact in person.contacts)


def persons(contacts: Sequence[Contact], event: ChannelEvent) -> list[Person]:
    """Contacts of one organization as persons, with what prevents telling them of an event on each channel."""
    prefetch_related_objects(contacts, "devices__link")
    groups = _same_person(sorted(contacts, key=_call_order))
    points = [point for group in groups for point in _points(group)]
    values = {point.address for point in points if point.address}
    found = Address.objects.filter(organization_id=event.organization_id, value__in=values, channel__in=PERSONAL)
    addresses = {(row.channel, row.value): row for row in found}
    urgent = event.priority == Priority.URGENT
    category = type_of(event.type).category
    unwanted = wishes.NOTHING if urgent else wishes.unwanted(contacts, category)
    worded = own.worded(event)

    def against(point: ContactPoint) -> Reason:
        if not point.address:
            return Reason.NO_ADDRESS
        if blocked := policy.blocked_because(point.channel, addresses.get((point.channel, point.address))):
            return blocked
        if not worded(point.contact.locale, point.channel):
            return Reason.NO_TEMPLATE
        return Reason.NOT_WANTED if (point.contact.id, category, point.channel) in unwanted else Reason.NONE

    return [
        Person(
            group[0],
            tuple(group),
            tuple(
                ContactPoint(point.channel, point.contact, point.address, against(point)) for point in _points(group)
            ),
        )
        for group in groups
    ]


def _call_order(contact: Contact) -> tuple[int, UUID]:
    return (LAST if contact.call_order is None else contact.call_order, contact.id)


def _same_person(contacts: Sequence[Contact]) -> list[list[Contact]]:
    """Group contacts that share a phone or an email address, directly or through others, as one person.

    Two people may share a device, such as the tablet at home.
    """
    groups: list[list[Contact]] = []
    addresses: list[set[str]] = []
    for contact in contacts:
        own = {value for channel in _TYPED for value in contact.addresses(channel)}
        group = [contact]
        for place in [place for place, known in enumerate(addresses) if known & own][::-1]:
            group = groups.pop(place) + group
            own |= addresses.pop(place)
        groups.append(group)
        addresses.append(own)
    return sorted(groups, key=lambda group: _call_order(group[0]))


def _points(group: Sequence[Contact]) -> Iterable[ContactPoint]:
    """The person's address on each channel, from the first contact that has one; each different phone and device."""
    for channel in PERSONAL:
        addresses: dict[str, Contact] = {}
        for contact in group:
            for value in contact.addresses(channel):
                addresses.setdefault(value, contact)
        for value, contact in (addresses or {"": group[0]}).items():
            yield ContactPoint(channel, contact, value)
            if not channel.addresses.several:
                break


def _first_channels(event: ChannelEvent) -> Sequence[str]:
    return in_force.plan_of(event.organization_id, type_of(event.type).category)[0].channels


def sending_systems(organization_id: UUID, *, besides: str | None = None) -> dict[ContactChannel, System]:
    """The newest system of each kind; a paused one only where none is active, a disabled one never.

    ``besides``: the id of a system that must not be used.
    """
    systems = System.objects.filter(organization_id=organization_id, kind__in=_SYSTEM_KINDS.values())
    if besides:
        systems = systems.exclude(id=besides)
    usable = systems.exclude(state=System.Status.DISABLED).order_by("id")
    by_kind = {system.kind: system for system in sorted(usable, key=lambda each: each.state == System.Status.ACTIVE)}
    return {channel: by_kind[kind] for channel, kind in _SYSTEM_KINDS.items() if kind in by_kind}
