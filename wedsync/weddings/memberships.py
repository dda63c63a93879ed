"""What a membership includes: its account can sign in."""

from __future__ import annotations

from collections.abc import Iterable

from django.contrib.auth.models import User

from wedsync.weddings.models import Membership


def let_in(memberships: Iterable[Membership]) -> list[str]:
    """Let the accounts of new memberships sign in, for which Django requires the staff flag.

    Deactivated accounts stay so. Returns the names of those that could not sign in before.
    """
    users = User.objects.filter(pk__in=[each.user_id for each in memberships], is_staff=False)
    names = list(users.order_by("username").values_list("username", flat=True))
    users.update(is_staff=True)
    return names
