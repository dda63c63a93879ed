"""The refusal of a request, for vendors' and providers' receivers alike."""

from wedsync.wire.problems import Problem


class Refused(Exception):
    """The request is answered with a problem, and does not become an event.

    ``external_id``, ``vendor_type``: from its envelope, if it could be read. ``signed``: a live secret signed the
    request, although it is refused before or because of its signature's check.
    """

    def __init__(self, problem: Problem, external_id: str = "", vendor_type: str = "", *, signed: bool = False) -> None:
        super().__init__(problem.slug)
        self.problem = problem
        self.signed = signed
        self.external_id = external_id
        self.vendor_type = vendor_type
