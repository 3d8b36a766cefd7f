"""JSON documents."""

import json
from dataclasses import dataclass
from pathlib import Path

import duckdb

from dagster_project.layouts.layout import Extract, RawTable


@dataclass(frozen=True)
class JsonLayout:
    """A JSON object whose member `root` lists the records; fields that are absent become NULL."""

    name: str
    table: RawTable
    root: str
    required: tuple[str, ...]

    def likeness(self, path: Path) -> float:
        return 1.0 if path.suffix == ".json" and self.mismatch(path) is None else 0.0

    def mismatch(self, path: Path) -> str | None:
        try:
            document = json.loads(path.read_text("utf-8"))
        except UnicodeDecodeError as error:
            return f"bytes that are not UTF-8 (byte {error.start})"
        except json.JSONDecodeError as error:
            return f"text that is not JSON (line {error.lineno}: {error.msg})"
        records = document.get(self.root) if isinstance(document, dict) else None
        if not isinstance(records, list) or not records:
            return f"no list {self.root!r}"
        for number, record in enumerate(records, 1):
            missing = [field for field in self.required if not record.get(field)]
            if missing:
                return f"record {number} without {', '.join(missing)}"
        return None

    def read(self, con: duckdb.DuckDBPyConnection, path: Path) -> Extract:
        fields = ", ".join(f'"{column}" varchar' for column in self.table.columns)
        con.read_json(str(path), columns={self.root: f"struct({fields})[]"}).to_table("document")
        columns = ", ".join(f'record."{column}"' for column in self.table.columns)
        con.execute(
            f"""
            create table incoming as
            select {columns}, cast(null as varchar) as _sheet, _row
            from (
                select
                    unnest("{self.root}") as record,
                    generate_subscripts("{self.root}", 1) as _row
                from document
            )
            """
        )
        con.execute("drop table document")
        rows = con.table("incoming")
        return Extract(rows, len(rows), len(rows))
