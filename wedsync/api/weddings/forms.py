"""``POST /api/forms/<id>/responses/``: a submitted form."""

from uuid import UUID

from django.db import transaction
from django.http import Http404
from django.utils import timezone
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from integrations.wedding_events.publishing import UnfitAnswer, submit_form
from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.keys.authentication import client_of
from wedsync.api.problems import Unprocessable
from wedsync.api.requests.bodies import refuse_unknown
from wedsync.api.weddings.shapes import AcceptedShape, AnswersShape
from wedsync.weddings.models import ApiScope, Form
from wedsync.wire.plain_text import clean
from wedsync.wire.problems import FieldProblem

MOST_ANSWERS = 200
LONGEST_ANSWER = 10_000


class FormResponsesView(Scoped, IdempotentPosts):
    """The responses of one form of the caller's organization."""

    read_scope, write_scope = ApiScope.EVENTS_READ, ApiScope.EVENTS_WRITE

    @extend_schema(
        request=AnswersShape,
        responses={201: AcceptedShape},
        examples=[OpenApiExample("a change of plans", {"answers": {"guests": 118}}, request_only=True)],
    )
    def post(self, request: Request, form_id: UUID) -> Response:
        """Accept ``{"answers": {...}}`` as plain text; 201 with the event's id, after its commit."""
        answers = _answers(request.data)
        with transaction.atomic():
            form = (
                Form.objects.select_related("wedding")
                .filter(organization=client_of(request).organization, id=form_id)
                .first()
            )
            if form is None:
                raise Http404
            try:
                event = submit_form(form, answers, occurred_at=timezone.now(), by=client_of(request).author)
            except UnfitAnswer as error:
                raise Unprocessable(error.problem) from error
        return Response({"id": str(event.id), "status": "accepted"}, status=201)


def _answers(body: object) -> dict[str, object]:
    refuse_unknown(body, ("answers",))
    answers = clean(body.get("answers")) if isinstance(body, dict) else None
    if not isinstance(answers, dict) or not 1 <= len(answers) <= MOST_ANSWERS:
        raise Unprocessable(FieldProblem("answers", f"must be an object of 1 to {MOST_ANSWERS} answers"))
    plain = (str, int, float, bool, type(None))
    wrong = [
        FieldProblem(f"answers.{question}", f"must be a text of at most {LONGEST_ANSWER} characters or a number")
        for question, value in answers.items()
        if not isinstance(value, plain) or (isinstance(value, str) and len(value) > LONGEST_ANSWER)
    ]
    if wrong:
        raise Unprocessable(*wrong)
    return answers
