"""What the tests of this folder share."""

import pytest

from integrations.signatures.base import SignatureScheme
from tests.integrations.signatures.attacks import Sender


@pytest.fixture
def sender(scheme: SignatureScheme) -> Sender:
    return Sender(scheme)
