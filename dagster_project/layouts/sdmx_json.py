"""The observations of an SDMX-JSON message, which is read into memory as a whole."""

from collections.abc import Iterator
from typing import Any

from dagster_project.layouts.sdmx_ids import column_of


def json_observations(document: Any) -> Iterator[dict[str, Any]]:
    """Yield the observations of an SDMX-JSON message; numbers are text.

    Raises LookupError, TypeError or ValueError for an invalid message.
    """
    body = document.get("data", document)  # the draft of 1.0 has no `data`
    structures = body.get("structures") or [body["structure"]]
    if len({dataset.get("structure", "0") for dataset in body["dataSets"]}) < len(structures):
        raise ValueError("a structure that no data set has")
    for dataset in body["dataSets"]:
        if str(dataset.get("action")).lower() == "delete":
            raise ValueError("a data set that deletes observations")
        structure = _Structure(_at(structures, dataset.get("structure", "0")))
        whole = structure.attributes("dataSet", dataset.get("attributes"))
        for series_key, series in (dataset.get("series") or {"": dataset}).items():
            about = (
                {}
                if series is dataset
                else structure.attributes("series", series.get("attributes"))
            )
            for key, values in (series.get("observations") or {}).items():
                if not isinstance(values, list):
                    raise TypeError(f"{values!r} in place of an observation's list")
                places = structure.places(series_key, key)
                yield {
                    **whole,
                    **structure.group(dataset.get("dimensionGroupAttributes") or {}, places),
                    **about,
                    **structure.attributes("observation", values[structure.measures :]),
                    **structure.dimensions(places),
                    "value": _cell(values[0]) if values else None,
                }


class _Structure:
    """The structure of an SDMX-JSON message, with lookups in it."""

    def __init__(self, structure: dict[str, Any]) -> None:
        levels = structure["dimensions"]
        self._fixed = levels.get("dataSet") or []
        self._levels = [levels.get("series") or [], levels.get("observation") or []]
        self._attributes = structure.get("attributes") or {}
        self.measures = len((structure.get("measures") or {}).get("observation") or "1")
        self._groups: dict[tuple[int, ...], dict[tuple[str, ...], dict[str, Any]]] | None = None

    def places(self, *keys: str) -> list[str]:
        """Return the index of each dimension's value in its list, in the order of `_dimensions`."""
        places = ["0"] * len(self._fixed)
        for level, key in zip(self._levels, keys, strict=True):
            found = key.split(":") if key else []
            if len(found) != len(level):
                raise ValueError(f"the key {key!r} for {len(level)} dimensions")
            places += found
        return places

    def dimensions(self, places: list[str]) -> dict[str, Any]:
        """Return the dimensions of an observation."""
        listed = [*self._fixed, *self._levels[0], *self._levels[1]]
        found = {
            column_of(dimension["id"]): _text(_at(dimension["values"], place))
            for dimension, place in zip(listed, places, strict=True)
        }
        if len(found) < len(listed):
            raise ValueError("two dimensions of one column")
        return found

    def attributes(self, level: str, given: list[Any] | None) -> dict[str, Any]:
        """Return the attributes of a level: each an index into a list, or the value itself."""
        found = {}
        for attribute, value in zip(self._attributes.get(level) or [], given or [], strict=False):
            if value is not None:
                listed = attribute.get("values")
                found[column_of(attribute["id"])] = _text(_at(listed, value) if listed else value)
        return found

    def group(self, given: dict[str, list[Any]], places: list[str]) -> dict[str, Any]:
        """Return the attributes of an observation's groups; `0::2` leaves one dimension open."""
        if self._groups is None:
            self._groups = {}
            for key, values in given.items():
                found = {at: place for at, place in enumerate(key.split(":")) if place}
                data = self.attributes("dimensionGroup", values)
                self._groups.setdefault(tuple(found), {})[tuple(found.values())] = data
        result: dict[str, Any] = {}
        for at, groups in self._groups.items():
            result |= groups.get(tuple(places[place] for place in at), {})
        return result


def _at(listed: list[Any], place: Any) -> Any:
    """Return the item at an index, which is text; negative ones do not count from the end."""
    if not str(place).isdecimal():
        raise ValueError(f"{place!r} in place of an index")
    return listed[int(place)]


def _cell(value: Any) -> str | None:
    """Return an observation's value; its number is already text. Raises TypeError otherwise."""
    if value is None or isinstance(value, str):
        return value
    raise TypeError(f"{value!r} in place of a number")


def _text(value: Any) -> str | None:
    """Return a value as text: of a code its id; several values are joined."""
    match value:
        case dict():
            of = next((value[name] for name in ("id", "value", "name") if name in value), None)
            return _text(next(iter(value.values()), None) if of is None else of)
        case list():
            return ";".join(_text(each) or "" for each in value)
    return None if value is None else str(value)
