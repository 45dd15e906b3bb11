"""An event log in XES (IEEE 1849-2016): one trace a record, one event for each thing that happened.

Elements stand in the order that the standard's schema asks for: extensions, globals, classifiers,
attributes, traces. Times are in UTC with their offset, as XML Schema's dateTime.
"""

import re
from io import TextIOWrapper
from pathlib import Path
from xml.sax.saxutils import XMLGenerator
from xml.sax.xmlreader import AttributesImpl

from connector.export.log import Attributes, Case, Event, Log

NAMESPACE = "http://www.xes-standard.org/"
_EXTENSIONS = (("Concept", "concept"), ("Time", "time"))
_DATES = frozenset({"opened_at", "closed_at"})
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 (§2.2) has no way to say."""


def write_xes(log: Log, path: Path) -> int:
    """Write the log to `path`; answers the number of traces. Raises OSError, StoreError."""
    with path.open("w", encoding="utf-8", newline="\n") as file:
        out = _Writer(file)
        out.head(log.name)
        count = 0
        for case in log.cases():
            out.trace(case)
            count += 1
        out.tail()
    return count


class _Writer:
    """XML as it is told; knows what may stand where."""

    def __init__(self, file: TextIOWrapper) -> None:
        self._xml = XMLGenerator(file, encoding="utf-8", short_empty_elements=True)
        self._file = file

    def head(self, name: str) -> None:
        self._xml.startDocument()
        self._open("log", {"xes.version": "1849-2016", "xmlns": NAMESPACE})
        for extension, prefix in _EXTENSIONS:
            uri = f"{NAMESPACE}{prefix}.xesext"
            self._empty("extension", {"name": extension, "prefix": prefix, "uri": uri})
        self._globals("trace", [("string", "concept:name", "")])
        self._globals(
            "event",
            [
                ("string", "concept:name", ""),
                ("date", "time:timestamp", "1970-01-01T00:00:00+00:00"),
            ],
        )
        self._empty("classifier", {"name": "Activity", "keys": "concept:name"})
        self._attribute("concept:name", name)

    def tail(self) -> None:
        self._xml.endElement("log")
        self._xml.endDocument()
        self._file.write("\n")

    def trace(self, case: Case) -> None:
        self._file.write("\n")
        self._open("trace")
        self._attribute("concept:name", case.key)
        self._attribute("table", case.table)
        self._attributes(case.attributes)
        self._attributes({"customer": case.customer, "service": case.service})
        for event in case.events:
            self._event(event)
        self._xml.endElement("trace")

    def _event(self, event: Event) -> None:
        self._open("event")
        self._attribute("concept:name", event.activity)
        self._typed("date", "time:timestamp", event.happened_at.isoformat())
        self._attribute("kind", event.kind)
        self._attributes(event.attributes)
        self._xml.endElement("event")

    def _globals(self, scope: str, attributes: list[tuple[str, str, str]]) -> None:
        self._open("global", {"scope": scope})
        for kind, key, value in attributes:
            self._typed(kind, key, value)
        self._xml.endElement("global")

    def _attributes(self, attributes: Attributes) -> None:
        for key, value in attributes.items():
            if value != "":
                self._attribute(key, value)

    def _attribute(self, key: str, value: str | int) -> None:
        kind = "int" if isinstance(value, int) else "date" if key in _DATES else "string"
        self._typed(kind, key, str(value))

    def _typed(self, kind: str, key: str, value: str) -> None:
        self._empty(kind, {"key": key, "value": _FORBIDDEN.sub("�", value)})

    def _empty(self, name: str, attributes: dict[str, str]) -> None:
        self._open(name, attributes)
        self._xml.endElement(name)

    def _open(self, name: str, attributes: dict[str, str] | None = None) -> None:
        self._xml.startElement(name, AttributesImpl(attributes or {}))
