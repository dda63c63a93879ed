"""Every provider's way to say that an address does not exist, or that its owner wants nothing, marks the address."""

import json
from typing import Any

import pytest

from integrations.errors import (
    CredentialsRefused,
    OurFault,
    Permanent,
    RecipientComplained,
    RecipientRefused,
    RecipientStopped,
    Throttled,
    Undeliverable,
)
from integrations.outbound import Response
from notifications.channels.email import providers
from notifications.channels.email.mail import Mail
from notifications.channels.email.sender import EmailSender
from notifications.channels.registry import CHANNELS
from tests.notifications.channels.mails import delivery, frozen
from wedsync.weddings.models import Address

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.filterwarnings("ignore::anymail.exceptions.AnymailNotSupportedWarning"),
]
TO = "anna@people.example"
JSON = {"content-type": "application/json"}


def mandrill(status: str, reason: str | None = None) -> Any:
    return [{"email": TO, "status": status, "_id": "m-1", "reject_reason": reason}]


def mailersend(*reasons: str) -> Any:
    recipients = [{"email": TO, "name": "Anna", "reasons": list(reasons)}]
    return {"message": "no", "warnings": [{"type": "ALL_SUPPRESSED", "recipients": recipients}]}


def unisender(why: str) -> Any:
    return {"status": "success", "job_id": "j", "emails": [], "failed_emails": {TO: why}}


NOBODY: list[tuple[str, int, Any]] = [
    ("resend", 422, {"name": "validation_error", "message": "Invalid `to` field. The email address needs to follow"}),
    ("postmark", 422, {"ErrorCode": 406, "Message": f"Found inactive addresses: {TO}."}),
    ("postmark", 422, {"ErrorCode": 300, "Message": f"Invalid 'To' address: '{TO}'."}),
    ("sendgrid", 400, {"errors": [{"message": "Not valid", "field": "personalizations.0.to.0.email"}]}),
    ("mailgun", 400, {"message": "'to' parameter is not a valid address. please check documentation"}),
    ("mailgun", 400, {"message": "to parameter is not a valid address. please check documentation"}),
    ("brevo", 400, {"code": "invalid_parameter", "message": "email is not valid in to"}),
    ("mailersend", 422, {"message": "Invalid.", "errors": {"to.0.email": ["The to.0.email must be valid."]}}),
    ("mailersend", 202, mailersend("hard_bounced")),
    (
        "mailjet",
        400,
        {"Messages": [{"Status": "error", "Errors": [{"ErrorCode": "mj-0013", "ErrorRelatedTo": ["To[0].Email"]}]}]},
    ),
    ("mailtrap", 400, {"success": False, "errors": ["'to' address is invalid"]}),
    ("mandrill", 200, mandrill("invalid")),
    ("mandrill", 200, mandrill("rejected", "hard-bounce")),
    ("postal", 200, {"status": "error", "data": {"code": "NoRecipients", "message": "None"}}),
    ("scaleway", 400, {"type": "invalid_arguments", "details": [{"argument_name": "to[0].email", "reason": "x"}]}),
    ("sparkpost", 200, {"results": {"total_rejected_recipients": 1, "total_accepted_recipients": 0, "id": "1"}}),
    (
        "sparkpost",
        400,
        {
            "errors": [
                {
                    "message": "Message generation rejected",
                    "code": "1902",
                    "description": "recipient address suppressed due to customer policy",
                }
            ]
        },
    ),
    ("unisender_go", 200, unisender("invalid")),
    ("unisender_go", 200, unisender("permanent_unavailable")),
]
OTHERS: list[tuple[str, int, Any, type, str]] = [
    ("mandrill", 200, mandrill("rejected", "unsub"), RecipientStopped, "opted_out_at"),
    ("mandrill", 200, mandrill("rejected", "spam"), RecipientComplained, "complained_at"),
    ("mandrill", 200, mandrill("rejected", "soft-bounce"), RecipientRefused, ""),
    ("mandrill", 200, mandrill("rejected", "unsigned"), OurFault, ""),
    ("mailersend", 202, mailersend("unsubscribed", "hard_bounced"), RecipientStopped, "opted_out_at"),
    ("mailersend", 202, mailersend("spam_complaint"), RecipientComplained, "complained_at"),
    ("unisender_go", 200, unisender("unsubscribed"), RecipientStopped, "opted_out_at"),
    ("unisender_go", 200, unisender("complained"), RecipientComplained, "complained_at"),
    ("unisender_go", 200, unisender("temporary_unavailable"), Throttled, ""),
    ("postal", 200, {"status": "parameter-error", "data": {"message": "no"}}, Permanent, ""),
    ("postal", 200, {"status": "error", "data": {"code": "InvalidServerAPIKey"}}, CredentialsRefused, ""),
    # What is wrong with the sender or the mail says nothing of the person.
    ("postmark", 422, {"ErrorCode": 300, "Message": "Invalid 'From' address: 'x'."}, Permanent, ""),
    ("sendgrid", 400, {"errors": [{"message": "Not valid", "field": "from.email"}]}, Permanent, ""),
    ("mailgun", 400, {"message": "'from' parameter is not a valid address"}, Permanent, ""),
    ("brevo", 400, {"code": "invalid_parameter", "message": "sender is not valid"}, Permanent, ""),
    ("resend", 422, {"name": "validation_error", "message": "Invalid `from` field."}, Permanent, ""),
    (
        "mailjet",
        400,
        {"Messages": [{"Status": "error", "Errors": [{"ErrorRelatedTo": ["From.Email"]}]}]},
        Permanent,
        "",
    ),
]


def sent(provider: str, status: int, body: Any) -> tuple[Exception, Address | None]:
    """What the channel makes of a provider's answer, and the address after it."""
    row = delivery("https://mail.example/v1", {"provider": provider, "secret_key": "s", "project_id": "p"})
    mail = Mail.from_body(frozen(row).body)
    credentials = row.system.credentials
    prepared = providers.prepare(mail, EmailSender.of(credentials), row, credentials)
    answer = prepared.read(Response(status, dict(JSON), json.dumps(body).encode()))
    with pytest.raises(Exception) as caught:
        CHANNELS["email"].judge(answer)
    CHANNELS["email"].failed(row, caught.value)  # type: ignore[arg-type]
    return caught.value, Address.objects.filter(organization=row.organization, value=TO).first()


def test_every_provider_is_asked_here() -> None:
    assert {provider for provider, *_ in NOBODY} == set(providers.PROVIDERS)


@pytest.mark.parametrize(("provider", "status", "body"), NOBODY, ids=lambda each: str(each)[:40])
def test_no_such_address_marks_it(provider: str, status: int, body: Any) -> None:
    error, address = sent(provider, status, body)

    assert isinstance(error, Undeliverable), error
    assert address is not None
    assert address.blocked_because == "bounced"
    assert address.bounce_reason == str(error)


@pytest.mark.parametrize(("provider", "status", "body", "kind", "mark"), OTHERS, ids=lambda each: str(each)[:40])
def test_what_else_a_provider_refuses_marks_only_what_it_says(
    provider: str, status: int, body: Any, kind: type, mark: str
) -> None:
    error, address = sent(provider, status, body)

    assert type(error) is kind, error
    marks = {name for name in ("bounced_at", "opted_out_at", "complained_at") if address and getattr(address, name)}
    assert marks == ({mark} if mark else set())
