"""A request that is sent twice takes effect once: ``Idempotency-Key`` on POST. docs/developers/api.md, docs/adr/0031.

A claim is a row with a commit of its own, so that a second request sees it. The effect and the answer share a further
commit, which locks the row: a process that dies in between leaves neither, and its claim ends with its lease. A request
that outlasts its lease still holds the lock, so no other takes over its claim.
"""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import transaction
from django.db.models.functions import Now
from django.http import Http404
from django.utils.crypto import salted_hmac
from rest_framework.exceptions import APIException, PermissionDenied
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wedsync import vault
from wedsync.api import problems
from wedsync.api.keys.authentication import client_of
from wedsync.api.models import RememberedRequest
from wedsync.database.pruning import delete_in_steps
from wedsync.env import ConfigurationError

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
LONGEST = 255
LIFE = timedelta(hours=24)
LEASE = timedelta(seconds=60)
# These depend on the moment: a minute later a delivery in flight has ended, or a missing row exists.
_NOT_REMEMBERED = {404, 409, 429, *range(500, 600)}
Handler = Callable[..., Response]


class BadKey(APIException):
    """The header is not a valid key."""

    status_code = 400
    slug = "idempotency-key-malformed"
    default_detail = f"{HEADER} must be 1 to {LONGEST} visible ASCII characters."


class KeyReused(APIException):
    """The key was used before, for a different request."""

    status_code = 422
    slug = "idempotency-key-reused"
    default_detail = f"This {HEADER} was used for another request. Use a new one for each different request."


class InProgress(APIException):
    """The first request with the key is still in progress."""

    status_code = 409
    slug = "idempotency-key-in-progress"
    default_detail = f"A request with this {HEADER} is in progress. Try again later."
    wait = 1


class AnswerLost(APIException):
    """The stored answer cannot be decrypted."""

    status_code = 409
    slug = "idempotency-answer-lost"
    default_detail = (
        "This request was carried out, but its answer can no longer be read: the key that encrypted it is gone. "
        "Nothing was done a second time."
    )


@dataclass(frozen=True)
class Claim:
    """The right to carry a request out."""

    row_id: uuid.UUID
    token: uuid.UUID

    def lock(self) -> None:
        """Hold the row until the commit.

        Raises:
            InProgress: the lease had ended, and another request took over the claim.
        """
        mine = RememberedRequest.objects.filter(id=self.row_id, lease_token=self.token)
        if not mine.select_for_update(no_key=True).exists():
            raise InProgress

    def answer(self, response: Response, *, secret: bool) -> None:
        """Store the answer, in the same commit as its effect."""
        body = JSONRenderer().render(response.data).decode()
        RememberedRequest.objects.filter(id=self.row_id, lease_token=self.token).update(
            lease_token=None,
            lease_until=None,
            status=response.status_code,
            content_type=response.content_type or "",
            body=vault.encrypt(body) if secret else body,
            is_sealed=secret,
        )

    def give_back(self) -> None:
        """Let the request be sent again."""
        RememberedRequest.objects.filter(id=self.row_id, lease_token=self.token).delete()


class IdempotentPosts(APIView):
    """Carries out a POST with an ``Idempotency-Key`` once. ``answers_secrets``: answers are stored encrypted."""

    answers_secrets = False

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After the checks of the caller: put the handler of a POST behind its key."""
        super().initial(request, *args, **kwargs)
        handler = getattr(self, "post", None)
        if request.method == "POST" and handler is not None and HEADER in request.headers:
            self.post = self._once(handler, _checked(request.headers[HEADER]))

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep caches from storing a secret."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if self.answers_secrets:
            final["Cache-Control"] = "no-store"
        return final

    def _once(self, handler: Handler, key: str) -> Handler:
        def post(request: Request, *args: Any, **kwargs: Any) -> Response:
            claim = _claim(request, key)
            if isinstance(claim, Response):
                return claim
            try:
                return self._carry_out(claim, lambda: handler(request, *args, **kwargs))
            except BaseException:
                claim.give_back()
                raise

        return post

    def _carry_out(self, claim: Claim, work: Callable[[], Response]) -> Response:
        with transaction.atomic():
            claim.lock()
            response = self._refused_or(work)
            if response.status_code in _NOT_REMEMBERED:
                transaction.set_rollback(True)
            else:
                claim.answer(response, secret=self.answers_secrets)
        if response.status_code in _NOT_REMEMBERED:
            claim.give_back()
        return response

    def _refused_or(self, work: Callable[[], Response]) -> Response:
        """The handler's answer, or its refusal, which changes nothing and is remembered as well."""
        try:
            with transaction.atomic():
                return work()
        except (APIException, Http404, PermissionDenied) as error:
            refused = problems.answer(error, {"view": self})
            if refused is None:
                raise
            return refused


def _checked(key: str) -> str:
    if not 1 <= len(key) <= LONGEST or not key.isascii() or not key.isprintable():
        raise BadKey
    return key


def _fingerprint(request: Request) -> str:
    said = json.dumps([request.META.get("QUERY_STRING", ""), request.data], sort_keys=True, separators=(",", ":"))
    return salted_hmac("wedsync.api.idempotency", said, algorithm="sha256").hexdigest()


def _claim(request: Request, key: str) -> Claim | Response:
    """The claim, or what was answered before.

    Raises:
        KeyReused, InProgress, AnswerLost: there is neither.
    """
    client, fingerprint, token = client_of(request), _fingerprint(request), uuid.uuid4()
    which = {"api_key": client.api_key, "method": str(request.method), "path": request.path[:300], "key": key}
    new = RememberedRequest(
        **which,
        organization=client.organization,
        fingerprint=fingerprint,
        lease_token=token,
        lease_until=Now() + LEASE,
    )
    RememberedRequest.objects.bulk_create([new], ignore_conflicts=True)
    row = RememberedRequest.objects.filter(**which).first()
    if row is None:  # given back a moment ago
        raise InProgress
    if row.lease_token == token or _take_over(row, token, fingerprint):
        return Claim(row.id, token)
    if row.fingerprint != fingerprint:
        raise KeyReused
    if row.status is None:
        raise InProgress
    return _replay(row)


@transaction.atomic
def _take_over(row: RememberedRequest, token: uuid.UUID, fingerprint: str) -> bool:
    """Claim a row that is past its life or whose owner died; one still in use is locked, and left alone."""
    rows = RememberedRequest.objects.filter(id=row.id)
    forgotten = rows.filter(created_at__lt=Now() - LIFE)
    left = rows.filter(lease_until__lt=Now(), fingerprint=fingerprint)
    free = (forgotten | left).select_for_update(skip_locked=True, no_key=True).first()
    if free is None:
        return False
    return bool(
        rows.update(
            lease_token=token,
            lease_until=Now() + LEASE,
            fingerprint=fingerprint,
            status=None,
            body="",
            is_sealed=False,
            created_at=Now(),
        )
    )


def _replay(row: RememberedRequest) -> Response:
    try:
        body = vault.decrypt(row.body) if row.is_sealed else row.body
    except ConfigurationError as error:
        raise AnswerLost from error
    data = json.loads(body) if body else None
    return Response(data, status=row.status, headers={REPLAYED: "true"}, content_type=row.content_type or None)


def forget() -> int:
    """Delete answers older than a day; returns how many rows."""
    return delete_in_steps(RememberedRequest.objects.filter(created_at__lt=Now() - LIFE), along="created_at")
