"""Prometheus: recording and alerting rules as files, each with tests that promtool runs."""

from nthlayer_sync.plugins.prometheus.alert_rules import ALERT_RULES
from nthlayer_sync.plugins.prometheus.alert_tests import ALERT_TESTS
from nthlayer_sync.plugins.prometheus.slo_rules import SLO_RULES
from nthlayer_sync.plugins.prometheus.slo_tests import SLO_TESTS
from nthlayer_sync.sdk.kind import Category
from nthlayer_sync.sdk.plugin import OperationalPlugin


class Plugin(OperationalPlugin):
    """Rules that Prometheus loads from Git, and proof that they do what they say."""

    name = "prometheus"
    version = "1"
    category = Category.OBSERVABILITY
    summary = "Prometheus rules, with tests"
    kinds = (SLO_RULES, SLO_TESTS, ALERT_RULES, ALERT_TESTS)
