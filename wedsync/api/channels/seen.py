"""``POST /api/channels/<name>/seen/``: a contact has had an event on a screen."""

from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.response import Response

from wedsync.api.base_views.idempotency import IdempotentPosts
from wedsync.api.base_views.scopes import Scoped
from wedsync.api.channels.shapes import SeenAnswerShape, SeenShape
from wedsync.api.keys.authentication import client_of
from wedsync.api.problems import Unprocessable
from wedsync.live import seen
from wedsync.live.access import passes
from wedsync.weddings.models import ApiScope
from wedsync.wire.problems import FieldProblem


class NotCovered(APIException):
    """The key is limited to other channels."""

    status_code = 403


class SeenView(Scoped, IdempotentPosts):
    """What contacts have seen of one channel of the caller's organization."""

    read_scope = write_scope = ApiScope.LIVE_SEEN

    @extend_schema(request=SeenShape, responses={200: SeenAnswerShape})
    def post(self, request: Request, name: str) -> Response:
        """Note the highest sequence that a contact was shown; a lower one changes nothing."""
        asked = SeenShape(data=request.data)
        asked.is_valid(raise_exception=True)
        said = asked.validated_data
        try:
            new = seen.report(passes.of_key(client_of(request).api_key), name, said["sequence"], said["contact"])
        except seen.SeenForbidden as error:
            raise NotCovered(str(error)) from error
        except seen.SeenRefused as error:
            raise Unprocessable(FieldProblem(error.field, error.reason)) from error
        return Response({"new": new})
