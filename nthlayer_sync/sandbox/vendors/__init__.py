"""The tools that the sandbox stands in for, one module each."""

from nthlayer_sync.sandbox.tool import Tool
from nthlayer_sync.sandbox.vendors.confluence import Confluence
from nthlayer_sync.sandbox.vendors.cortex import Cortex
from nthlayer_sync.sandbox.vendors.datadog import Datadog
from nthlayer_sync.sandbox.vendors.github import GitHub
from nthlayer_sync.sandbox.vendors.gitlab import GitLab
from nthlayer_sync.sandbox.vendors.grafana import Grafana
from nthlayer_sync.sandbox.vendors.jira import Jira
from nthlayer_sync.sandbox.vendors.kubernetes import Kubernetes
from nthlayer_sync.sandbox.vendors.opsgenie import Opsgenie
from nthlayer_sync.sandbox.vendors.pagerduty import PagerDuty
from nthlayer_sync.sandbox.vendors.slack import Slack
from nthlayer_sync.sandbox.vendors.statuspage import Statuspage

TOOLS: dict[str, type[Tool]] = {
    tool.name: tool
    for tool in (
        Confluence,
        Cortex,
        Datadog,
        GitHub,
        GitLab,
        Grafana,
        Jira,
        Kubernetes,
        Opsgenie,
        PagerDuty,
        Slack,
        Statuspage,
    )
}
