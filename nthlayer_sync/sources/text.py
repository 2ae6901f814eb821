"""Reads one catalog file: YAML as people write it, or JSON as the catalog's API gives it."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from nthlayer_sync.model.diagnosis import Diagnosis, Severity
from nthlayer_sync.model.entity import Place
from nthlayer_sync.model.ref import EntityRef
from nthlayer_sync.sources.entities import Reading, read_array, read_value
from nthlayer_sync.yaml.read import read_documents


class Text(NamedTuple):
    """What a catalog file says: one reading a document (with its number, from 0), and what could not be read at all."""

    readings: tuple[tuple[int, Reading], ...]
    faults: tuple[Diagnosis, ...] = ()

    @property
    def whole(self) -> bool:
        """Whether every entity in it is at least known by name."""
        if any(fault.severity is Severity.ERROR for fault in self.faults):
            return False
        return all(reading.ref for _, reading in self.readings if reading.refused)

    @property
    def refused(self) -> list[EntityRef]:
        """The entities that are known by name only."""
        return [EntityRef(reading.ref.lower()) for _, reading in self.readings if reading.refused and reading.ref]


def read_text(place: Place, data: bytes) -> Text:
    """Read the catalog file at `place`, whose name decides between YAML and JSON."""
    if place.path.endswith(".json"):
        try:
            return Text(tuple(enumerate(read_array(data))))
        except msgspec.DecodeError as error:
            fault = Diagnosis(code="syntax", message=f"not valid JSON: {error}", file=place.path)
            return Text((), (fault,))
    documents, faults = read_documents(data, file=place.path)
    if not documents and not faults:
        message = "no catalog entity: the file is empty"
        faults = [Diagnosis(code="document-foreign", message=message, severity=Severity.NOTE, file=place.path)]
    readings = ((document.index, read_value(document.value, place, document.index)) for document in documents)
    return Text(tuple(readings), tuple(faults))
