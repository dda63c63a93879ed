import pytest

from tests.wedsync.couple.visiting import Couple, make_couple


@pytest.fixture
def couple(db: None) -> Couple:
    return make_couple(couple="Anna & Ben")
