"""How a request is refused, by vendors' and by providers' receivers alike."""

from wedsync.wire.problems import Problem


class Refused(Exception):
    """The request is answered with a problem, and nothing of it becomes an event.

    ``external_id``, ``vendor_type``: what its envelope said, where that could be read. ``signed``: one of the secrets
    made its signature, although the request is refused for it.
    """

    def __init__(self, problem: Problem, external_id: str = "", vendor_type: str = "", *, signed: bool = False) -> None:
        super().__init__(problem.slug)
        self.problem = problem
        self.signed = signed
        self.external_id = external_id
        self.vendor_type = vendor_type
