"""The observations of an SDMX-ML message, read as a stream."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dagster_project.layouts.sdmx_ids import column_of

MAX_DEPTH = 16  # nested elements; a data message has ten

_MESSAGES = (  # the roots of SDMX 2.1 and 3.0, and of 2.0's compact form
    "GenericData",
    "GenericTimeSeriesData",
    "StructureSpecificData",
    "StructureSpecificTimeSeriesData",
    "CompactData",
)


def xml_observations(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the observations of an SDMX-ML message. Raises ValueError and ParseError."""
    message = _Message()
    parser = ET.XMLParser(target=message)
    with path.open("rb") as file:
        while chunk := file.read(1 << 16):
            parser.feed(chunk)
            yield from message.taken()
    parser.close()
    yield from message.taken()


class _Message:
    """Collects the observations of an SDMX-ML message while expat parses it.

    Names are local ones: versions differ in their namespaces. Attributes with a namespace are the
    message's own (`xsi:type`), those without are dimensions and attributes of the data.
    """

    def __init__(self) -> None:
        self._path: list[str] = []
        self._at_observation: dict[str | None, str] = {}
        self._dimension = "TIME_PERIOD"
        self._levels: dict[str, dict[str, Any]] = {
            level: {} for level in ("DataSet", "Group", "Series", "Obs")
        }
        self._new_groups: list[tuple[dict[str, Any], dict[str, Any]]] = []
        self._groups: dict[tuple[str, ...], dict[tuple[Any, ...], dict[str, Any]]] = {}
        self._observations: list[dict[str, Any]] = []

    def taken(self) -> list[dict[str, Any]]:
        """Return the observations completed since the last call."""
        taken, self._observations = self._observations, []
        return taken

    def doctype(self, *_: Any) -> None:
        """Refuse a document type: it could declare entities, and SDMX messages have none."""
        raise ValueError("a document type declaration, which SDMX messages do not have")

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        """Handle the start of an element."""
        name = tag.rpartition("}")[2]
        if not self._path and name not in _MESSAGES:
            raise ValueError(f"an XML document {name!r}, which is not an SDMX data message")
        if len(self._path) >= MAX_DEPTH:
            raise ValueError(f"elements nested {MAX_DEPTH} deep")
        self._path.append(name)
        match name:
            case "Structure" if self._path[-2] == "Header":
                dimension = attributes.get("dimensionAtObservation", "TIME_PERIOD")
                self._at_observation[attributes.get("structureID")] = dimension
            case "DataSet" | "Group" | "Series" | "Obs":
                self._level(name, attributes)
            case "Value":
                self._value(attributes)
            case "ObsDimension":
                identifier = column_of(attributes.get("id", self._dimension))
                self._levels["Obs"][identifier] = attributes.get("value")
            case "ObsValue":
                self._levels["Obs"]["value"] = attributes.get("value")

    def _level(self, name: str, attributes: dict[str, str]) -> None:
        about = {tag.rpartition("}")[2]: value for tag, value in attributes.items()}
        if name == "DataSet":
            if about.get("action", "").lower() == "delete":
                raise ValueError("a data set that deletes observations")
            known = list(self._at_observation.values())
            self._dimension = self._at_observation.get(
                about.get("structureRef"), known[0] if known else "TIME_PERIOD"
            )
        own = [tag for tag in attributes if "}" not in tag]
        data = {column_of(tag): attributes[tag] for tag in own}
        if len(data) < len(own):
            raise ValueError(f"two attributes of one column in {name}")
        self._levels[name] = data
        if name == "Group":
            data.pop("type", None)
            self._new_groups.append(({}, data))

    def _value(self, attributes: dict[str, str]) -> None:
        """Handle a value of a generic message, which belongs to the innermost level."""
        level = next((name for name in reversed(self._path) if name in self._levels), "DataSet")
        identifier = column_of(attributes.get("id") or attributes.get("concept") or "")
        if self._path[-2] == "GroupKey":
            self._new_groups[-1][0][identifier] = attributes.get("value")
        else:
            self._levels[level][identifier] = attributes.get("value")

    def end(self, tag: str) -> None:
        """Handle the end of an element."""
        if self._path.pop() != "Obs":
            return
        own = {**self._levels["Series"], **self._levels["Obs"]}
        for stated, data in self._new_groups:
            # A structure-specific group does not mark its key: the key is those of its values that
            # the series or the observation has too.
            key = stated or {column: text for column, text in data.items() if column in own}
            self._groups.setdefault(tuple(key), {})[tuple(key.values())] = data
        self._new_groups.clear()
        for columns, found in self._groups.items():
            own = {**found.get(tuple(own.get(column) for column in columns), {}), **own}
        self._observations.append({**self._levels["DataSet"], **own})
