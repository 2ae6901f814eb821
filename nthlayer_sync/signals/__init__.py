"""What is measured about a service and what alerts on it, as plain data.

The catalogue that every vendor's rules, dashboards and runbooks are made from.

`slo` says how each objective is measured and when its budget burns too fast, `golden` what the golden signals and the
service's own alerts compare, `packs` what to watch of the technologies it depends on; `alerts` joins them. Nothing here
renders a file or escapes for one: texts are plain, and whoever writes them quotes them. Expressions are PromQL.
"""
