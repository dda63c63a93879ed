"""The tables of the documentation have the rows of the code. :mod:`tests.docs.tables` says how to write them anew."""

from typing import Any

import pytest
from prometheus_client.metrics import MetricWrapperBase

from integrations.health.metrics import collector
from integrations.models.breaker_changes import BreakerState
from integrations.models.health import Cause, HealthStatus
from integrations.states import TRANSITIONS, Reason, State
from notifications.channels.email.providers import PROVIDERS
from notifications.models import Incident, Message
from tests.docs import product
from tests.docs.product import code, members
from tests.docs.tables import WORDS, compare
from webhooks.models import Receipt
from wedsync import env
from wedsync.live import metrics
from wedsync.live.close_codes import CloseCode
from wedsync.live.error_codes import ErrorCode
from wedsync.live.models import ChannelEvent
from wedsync.weddings.models import ApiScope


def test_variables() -> None:
    said = {"": "empty", None: "**required**"}
    rows = [
        (code(each.name), said.get(each.default, code(str(each.default))), each.about)
        for each in env.VARIABLES.values()
    ]  # fmt: skip
    compare("operators/variables.md", "variables", ("variable", "default", "holds"), rows)


def test_processes() -> None:
    rows = [(code(name), WORDS, WORDS) for name in product.processes()]
    compare("operators/running.md", "processes", ("process", "does", "how many"), rows)


def test_states_of_a_delivery_and_which_may_follow_which() -> None:
    rows = [
        (code(state.value), WORDS, ", ".join(code(each.value) for each in State if each in TRANSITIONS[state]) or "–")
        for state in State
    ]
    compare("staff/deliveries.md", "states", ("state", "means", "may become"), rows)


def test_reasons_of_a_delivery_and_a_system() -> None:
    compare("staff/deliveries.md", "reasons", ("reason", "state", "means"), members(Reason, WORDS, WORDS))


def test_errors_and_what_they_count_for() -> None:
    header = ("error class", "stands for", "then", "breaker", "health")
    compare("operators/sending.md", "errors", header, product.errors())


def test_states_of_a_breaker() -> None:
    compare(
        "operators/sending.md", "breakers", ("state", "what goes out", "leads to"), members(BreakerState, WORDS, WORDS)
    )


def test_health_of_a_system() -> None:
    compare("operators/health.md", "health", ("status", "when"), members(HealthStatus))


def test_causes_of_alerts() -> None:
    rows = [(code(cause.value), str(cause.label), WORDS, WORDS) for cause in Cause]
    compare("staff/alerts.md", "causes", ("cause", "says", "raised when", "ends when"), rows)


@pytest.mark.django_db
def test_metrics() -> None:
    collector.forget()
    of_rows: list[Any] = list(collector.collect())
    found = [(each.name, each.type, each.documentation, each._labelnames) for each in of_rows]
    of_live: list[Any] = [each for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)]
    found += [(each._name, each._type, each._documentation, each._labelnames) for each in of_live]
    rows = []
    for name, kind, says, labels in found:
        whole = f"{name}_total" if kind == "counter" else name
        rows.append((code(f"{whole}{{{','.join(labels)}}}" if labels else whole), kind, says))
    compare("operators/health.md", "metrics", ("metric", "kind", "says"), rows)


def test_lines_of_the_log_that_are_warnings_or_worse() -> None:
    rows = [(code(name), level, WORDS) for name, level in product.log_lines().items()]
    compare("operators/logs.md", "log-lines", ("line", "level", "look into it when"), rows)


def test_scopes_of_keys() -> None:
    compare("developers/api.md", "scopes", ("scope", "opens"), members(ApiScope))


def test_codes_that_close_a_socket() -> None:
    rows = [(code(str(each.value)), WORDS, WORDS) for each in CloseCode]
    compare("developers/realtime.md", "close-codes", ("code", "when", "then"), rows)


def test_errors_of_live_channels() -> None:
    rows = [(code(each.value), WORDS, "yes" if each.is_temporary else "no") for each in ErrorCode]
    compare("developers/realtime-requests.md", "channel-errors", ("code", "when", "temporary"), rows)


def test_event_types() -> None:
    header = ("type", "payload (besides `wedding_id` and `extra`)", "category", "priority", "appears on")
    compare("developers/event-types.md", "event-types", header, product.event_types())


def test_verdicts_of_receipts() -> None:
    compare("staff/events.md", "verdicts", ("verdict", "means"), members(Receipt.Verdict))


def test_what_is_still_to_be_done_with_an_event() -> None:
    compare("staff/events.md", "routing", ("routing", "means"), members(ChannelEvent.Routing))


def test_states_of_an_incident() -> None:
    compare("staff/incidents.md", "incident-states", ("state", "means"), members(Incident.State))


def test_statuses_of_a_message_by_their_rank() -> None:
    rows = [(str(rank), code(each.value), WORDS, WORDS, WORDS, WORDS) for rank, each in enumerate(Message.Status)]
    header = ("rank", "status", "its time", "reported by WhatsApp", "reported by Resend", "reported by Twilio")
    compare("staff/statuses.md", "message-statuses", header, rows)


def test_providers_of_mail() -> None:
    rows = [(code(name), WORDS, WORDS) for name in [*PROVIDERS, "smtp"]]
    compare("staff/email.md", "providers", ("`provider`", "base URL", "further credentials"), rows)


def test_packages_with_the_first_sentences_of_their_docstrings() -> None:
    others = [(code(f"{name}/"), WORDS) for name in ("bench", "tests")]
    compare("architecture.md", "rooms", ("room", "holds"), [*product.packages(), *others])
