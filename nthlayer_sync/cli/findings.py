"""Findings in the forms that other tools read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree import ElementTree

from nthlayer_sync import __version__
from nthlayer_sync.model.diagnosis import Diagnosis, Severity


def sarif(found: Sequence[Diagnosis]) -> dict[str, Any]:
    """A SARIF 2.1.0 log. https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html"""
    codes = sorted({diagnosis.code for diagnosis in found})
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "nthlayer-sync",
                        "version": __version__,
                        "rules": [{"id": code, "name": code} for code in codes],
                    }
                },
                "results": [_result(diagnosis) for diagnosis in found],
            }
        ],
    }


def _result(diagnosis: Diagnosis) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": diagnosis.code,
        "level": str(diagnosis.severity),
        "message": {"text": str(diagnosis)},
    }
    location: dict[str, Any] = {}
    if diagnosis.file:
        physical: dict[str, Any] = {"artifactLocation": {"uri": diagnosis.file}}
        if diagnosis.line:
            physical["region"] = {"startLine": diagnosis.line, "startColumn": max(diagnosis.column, 1)}
        location["physicalLocation"] = physical
    if diagnosis.entity:
        location["logicalLocations"] = [{"fullyQualifiedName": diagnosis.entity}]
    if location:
        result["locations"] = [location]
    return result


def junit(found: Sequence[Diagnosis]) -> str:
    """A JUnit XML report: one case for each finding, and one that passes where nothing is wrong."""
    failures = sum(diagnosis.severity is Severity.ERROR for diagnosis in found)
    suite = ElementTree.Element(
        "testsuite", name="nthlayer-sync validate", tests=str(max(len(found), 1)), failures=str(failures), errors="0"
    )
    for diagnosis in found:
        case = ElementTree.SubElement(
            suite, "testcase", classname=diagnosis.code, name=_xml(diagnosis.where or diagnosis.code)
        )
        tag = "failure" if diagnosis.severity is Severity.ERROR else "system-out"
        detail = ElementTree.SubElement(case, tag)
        detail.text = _xml(str(diagnosis))
        if tag == "failure":
            detail.set("message", _xml(diagnosis.message))
    if not found:
        ElementTree.SubElement(suite, "testcase", classname="catalog", name="nothing is wrong")
    return ElementTree.tostring(suite, encoding="unicode", xml_declaration=True)


def _xml(text: str) -> str:
    """Text without the characters that XML cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?" for c in text
    )
