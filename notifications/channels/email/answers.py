"""A provider's answer, together with its meaning: each provider has its own codes."""

from dataclasses import dataclass

from integrations.errors import CredentialsRefused, DeliveryError, Permanent, Throttled
from integrations.outbound import Response

QUOTA = {"daily_quota_exceeded", "monthly_quota_exceeded"}
QUOTA_WAIT = 3600.0


@dataclass(frozen=True)
class MailAnswer(Response):
    """``error``: the meaning of the provider's own codes; ``None``: the status says everything."""

    error: DeliveryError | None = None
    provider_id: str = ""


def resend_error(response: Response) -> DeliveryError | None:
    """Resend's ``name`` of an error, if it says more than the status. https://resend.com/docs/api-reference/errors."""
    name = error_name(response)
    if name in {"missing_api_key", "restricted_api_key", "invalid_api_key"}:
        return CredentialsRefused(f"Resend: {name}")
    if name in QUOTA:
        return Throttled(f"Resend: {name}", retry_after=max(response.retry_after or 0, QUOTA_WAIT))
    if name == "concurrent_idempotent_requests":
        busy = "Resend: the same email is being accepted right now"
        return Throttled(busy, retry_after=response.retry_after, whole_target=False)
    if name and (response.status == 403 or name == "invalid_idempotent_request"):
        return Permanent(f"Resend: {name}")
    return None


def error_name(response: Response) -> str:
    """Resend's name of an error; empty if the answer is not an error, or not Resend's."""
    return response.text_at("name") if response.status >= 400 else ""


def resend_id(response: Response) -> str:
    """Resend's id of the accepted email."""
    return response.text_at("id")
