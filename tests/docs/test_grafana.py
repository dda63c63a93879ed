"""The dashboard asks for metrics that exist, each of those of the live channels."""

import json
import re
from typing import Any

from prometheus_client.metrics import MetricWrapperBase

from tests.docs.product import ROOT
from wedsync.live import metrics

SUFFIX = re.compile(r"_(bucket|total)$")


def test_the_dashboard_shows_every_metric_of_the_live_channels() -> None:
    dashboard: dict[str, Any] = json.loads((ROOT / "docker" / "grafana" / "wedsync.json").read_text())
    asked = {
        SUFFIX.sub("", name)
        for panel in dashboard["panels"]
        for target in panel.get("targets", ())
        for name in re.findall(r"wedsync_\w+", target["expr"])
    }

    assert asked == {each._name for each in vars(metrics).values() if isinstance(each, MetricWrapperBase)}
