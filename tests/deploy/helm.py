"""Helm's own library as a program: a request as JSON on standard input, the answer as JSON on standard output.

A program, since the library brings the runtime of Go, whose threads and signal handlers would stay in the process
of the tests.
"""

import json
import sys
from typing import Any

import helm_python as helm


def answer(chart: str, values: dict[str, Any]) -> dict[str, Any]:
    """What Helm makes of the values, file by file, and what it has to say; or why it refuses them."""
    try:
        with helm.Chart.load(chart) as loaded:
            loaded.validate_schema(values)
            made = loaded.render(values, name="demo", namespace="sre")
            messages = helm.lint(chart, values, strict=True)["messages"] if not chart.endswith(".tgz") else []
            return {"made": made, "metadata": loaded.metadata, "messages": [each["error"] for each in messages]}
    except helm.HelmError as error:
        return {"refused": str(error)}


if __name__ == "__main__":
    asked = json.load(sys.stdin)
    if "package" in asked:
        said = {"packed": helm.package(asked["chart"], destination=asked["package"])}
    else:
        said = answer(asked["chart"], asked["values"])
    json.dump(said, sys.stdout)
