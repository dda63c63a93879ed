"""The checks of a request once its connection is known: its content type and its signature. Pure.

docs/vendors/README.md has the order, the answers and the slugs of all steps.
"""

from collections.abc import Mapping

from integrations.signatures.base import OUTSIDE_WINDOW, Headers, SignatureError, SignatureScheme
from webhooks.doors import Door
from webhooks.requests.refusals import Refused
from wedsync.wire.problems import Problem

EXPLAINED = {
    "signature-missing": "The request has no signature. See the vendor's contract for the header.",
    "signature-malformed": "The signature header is malformed. See the vendor's contract for its format.",
    "signature-mismatch": "The signature does not match the body and the connection's secret.",
    "timestamp-outside-window": "The signature's timestamp is more than 300 s away from our time.",
}
KEPT_HEADERS = ("content-type", "user-agent")


def check_type(headers: Headers) -> None:
    """Refuse anything but plain JSON."""
    given = headers.get("content-type", ())
    if len(given) != 1 or given[0].partition(";")[0].strip().lower() != "application/json":
        raise Refused(Problem(415, "unsupported-media-type", "Send the body as Content-Type: application/json."))
    if any(value.strip().lower() != "identity" for value in headers.get("content-encoding", ())):
        raise Refused(Problem(415, "unsupported-media-type", "Send the body as it is, without a Content-Encoding."))


def check_signature(
    door: Door,
    scheme: SignatureScheme,
    headers: Headers,
    body: bytes,
    now: float,
    explained: Mapping[str, str],
    url: str = "",
) -> str | None:
    """The id of the secret that signed the request, if it is not the newest.

    Arguments:
        now: Unix seconds.
        explained: the problem's text for each slug.
        url: as the sender called it, for schemes that sign the URL.

    Raises:
        Refused: no live secret signed it, or it is outside the window.
    """
    try:
        place = scheme.verify(headers, body, door.secrets, now, url)
    except SignatureError as error:
        fits = error.slug == OUTSIDE_WINDOW
        raise Refused(Problem(401, error.slug, explained[error.slug]), signed=fits) from error
    return door.secret_ids[place] if place else None


def claims_signature(scheme: SignatureScheme, headers: Headers) -> bool:
    """Whether the headers could belong to a signed request, whatever its body."""
    try:
        scheme.read(headers)
    except SignatureError:
        return False
    return True


def kept(headers: Headers) -> dict[str, str]:
    """The headers that a receipt keeps; never a signature."""
    return {name: headers[name][0][:300].replace("\x00", "") for name in KEPT_HEADERS if headers.get(name)}
