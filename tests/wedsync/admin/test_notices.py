"""The pages of what providers told us."""

from __future__ import annotations

from collections.abc import Callable

from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from tests.factories import NoticeFactory
from tests.wedsync.admin.conftest import House
from webhooks.models import ProviderNotice, Receipt

SignIn = Callable[..., Client]
LIST = "admin:webhooks_providernotice_changelist"


def test_a_notice_shows_what_the_provider_said_and_leads_to_its_receipt(ours: House, sign_in: SignIn) -> None:
    notice, receipt = ours.rows[ProviderNotice], ours.rows[Receipt]

    text = sign_in(ours).get(reverse("admin:webhooks_providernotice_change", args=[notice.pk])).content.decode()

    assert "Lakeside-wamid" in text
    assert "&quot;text&quot;: &quot;Lakeside&quot;" in text
    assert reverse("admin:webhooks_receipt_change", args=[receipt.pk]) in text


def test_what_a_stranger_wrote_is_no_markup_on_its_page(ours: House, sign_in: SignIn) -> None:
    notice = NoticeFactory(
        organization=ours.organization, name="<b>sent</b>", data={"text": "<script>alert(1)</script>"}
    )
    client = sign_in(ours)

    pages = [reverse(LIST), reverse("admin:webhooks_providernotice_change", args=[notice.pk])]

    for page in pages:
        text = client.get(page).content.decode()
        assert "<script>alert(1)" not in text
        assert "<b>sent</b>" not in text


def test_notices_are_found_by_their_message_and_filtered_by_kind(ours: House, sign_in: SignIn) -> None:
    reply = NoticeFactory(organization=ours.organization, kind="message", name="text", provider_id="wamid.reply")
    client = sign_in(ours)

    for query in ({"q": "wamid.reply"}, {"q": str(reply.receipt_id)}, {"kind__exact": "message"}):
        text = client.get(reverse(LIST), query).content.decode()
        assert str(reply.pk) in text, query
        assert "Lakeside-wamid" not in text, query


def test_a_long_list_of_notices_needs_few_queries(
    ours: House, sign_in: SignIn, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    client = sign_in(ours)
    for _ in range(30):
        NoticeFactory(organization=ours.organization)

    with django_assert_max_num_queries(25):
        assert client.get(reverse(LIST)).status_code == 200
