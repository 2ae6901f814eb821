"""The example is a project of its own; it is tested where it is installed."""

collect_ignore = ["example-plugin"]
