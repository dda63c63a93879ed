"""What a provider's error codes mean: for each code the error that it stands for, and a text that says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from integrations.errors import DeliveryError, Transient


@dataclass(frozen=True)
class CodeMeaning:
    """A code's meaning. ``least_wait``: seconds for which nothing more is sent, if the code asks for a pause."""

    error: type[DeliveryError]
    says: str
    least_wait: float = 0.0

    def as_error(self, provider: str, code: int, wait: float | None) -> DeliveryError:
        """The error of a code that was received. ``wait``: the seconds that the provider asks for, if any."""
        text = f"{provider} {code}: {self.says}"
        if issubclass(self.error, Transient):
            return self.error(text, retry_after=max(wait or 0.0, self.least_wait) or wait)
        return self.error(text)


def all_of(codes: Iterable[int], error: type[DeliveryError], says: str) -> Mapping[int, CodeMeaning]:
    """One meaning for several codes."""
    return dict.fromkeys(codes, CodeMeaning(error, says))
