"""Writes the site from the published file alone, then swaps it for the previous one.

`report` is a link to `reports/<publication>-<time>/`, or a copy where there are no links. A new
site is written next to the current one, then the link is replaced: a reader sees either the old or
the new site.
"""

import os
import shutil
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import duckdb
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dagster_project.base.clock import system_clock
from dagster_project.base.durable_files import link_or_copy, replace_folder, replace_text
from dagster_project.base.errors import BadInput, printable_html
from dagster_project.base.private_files import public_folder
from dagster_project.base.settings import Settings
from dagster_project.publication.exports import exports_of
from dagster_project.publication.kept_files import (
    publication_id,
    publications_in,
    refuse_if_unpublished,
)
from dagster_project.report import formats
from dagster_project.report.figure import Column, Figure
from dagster_project.report.page import all_pages, studies
from dagster_project.report.query import Queries
from dagster_project.transform.docs.dbt_docs import DBT_DOCS, dbt_docs
from dagster_project.workbench.connection import write_lock

_HERE = Path(__file__).parent
_NAVIGATION = (
    ("studies/index.html", "Texts"),
    ("reporters/index.html", "Reporters"),
    ("mirror.html", "Two sides"),
    ("revisions.html", "Revisions"),
    ("coverage.html", "Coverage"),
    ("dictionary/index.html", "Dictionary"),
    ("sources.html", "Sources"),
    ("downloads.html", "Downloads"),
)


@dataclass(frozen=True)
class Report:
    """The written report: its folder, publication and number of pages."""

    folder: Path
    publication_id: str
    pages: int
    seconds: float


def write_report(settings: Settings, timeout: float = 0) -> Report:
    """Write the report from the published file, and replace the previous one.

    timeout: seconds to wait while another run is writing. Raises BadInput after that, if there is
    no readable publication, or if the warehouse folder is not this user's to write to.
    """
    refuse_if_unpublished(settings, "report on")
    if not os.access(settings.warehouse_dir, os.W_OK):
        raise BadInput(
            "the report is written by the owner of the warehouse",
            where=str(settings.warehouse_dir),
            expected="ROYALTY_WAREHOUSE_DIR is a folder to which the user who runs this can write",
            found="a folder that this user can only read",
            fix=f"open the owner's, {settings.report / 'index.html'}, or write another to a folder"
            " of your own with `make report TO=<folder>`",
        )
    with write_lock(settings, timeout):
        public_folder(settings.reports)
        settings.readers.may_read(settings.reports)
        name = f"{publication_id(settings)}-{system_clock():%Y%m%dT%H%M%S%f}"
        done = _write(settings, settings.reports / name)
        _activate(settings, done.folder)
    return done


def write_report_to(settings: Settings, folder: Path) -> Report:
    """Write the report from the published file to a new folder, as a reader can.

    Raises BadInput if there is something in the folder, or if there is no readable publication.
    """
    refuse_if_unpublished(settings, "report on")
    if folder.exists():
        if not folder.is_dir() or any(folder.iterdir()):
            raise BadInput(
                "there is something in the folder for the report",
                where=str(folder),
                expected="a folder that is new or empty",
                found="a file" if folder.is_file() else "files or folders in it",
                fix="name another folder, or remove it",
            )
        folder.rmdir()
    folder.parent.mkdir(parents=True, exist_ok=True)
    return _write(settings, folder)


def _write(settings: Settings, folder: Path) -> Report:
    """Write the site to a folder that does not exist yet."""
    began = time.monotonic()
    publications_in(settings.warehouse)  # raises BadInput if the file cannot be read
    with duckdb.connect(settings.warehouse, read_only=True, config=settings.duckdb_config) as con:
        publication = _publication(con)
        folder.mkdir()
        _copy_downloads(settings, publication["id"], folder / "data")
        pages = _write_pages(con, folder, publication)
        _write_dbt_docs(con, folder)
    _write_assets(settings, folder)
    return Report(folder, publication["id"], pages, time.monotonic() - began)


def _publication(con: duckdb.DuckDBPyConnection) -> dict[str, str]:
    publication_id, published_at = con.execute(
        "select publication_id, published_at from audit.publication order by published_at desc"
    ).fetchall()[0]
    return {"id": publication_id, "day": f"{published_at:%-d %B %Y}"}


def _write_pages(con: duckdb.DuckDBPyConnection, folder: Path, publication: dict[str, str]) -> int:
    data = folder / "data"
    downloads = {path.name: path.stat().st_size for path in data.iterdir()} if data.exists() else {}
    pages = list(all_pages(Queries(con), downloads))
    links = Links({page.path for page in pages})
    environment = _environment(publication)
    for page in pages:
        path = folder / page.path
        path.parent.mkdir(exist_ok=True)
        root = "../" * page.path.count("/")
        html = environment.get_template(page.template).render(
            page=page, root=root, cell=links.cell_for(root)
        )
        path.write_text(html, "utf-8")
    return len(pages)


def _environment(publication: dict[str, str]) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        finalize=printable_html,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "exact": formats.exact,
        "prose": formats.with_code,
        "verdict": formats.verdict,
        "capitalize_first": lambda text: text[:1].upper() + text[1:],
    }
    environment.globals |= {"navigation": _NAVIGATION, "publication": publication}
    return environment


class Links:
    """Formats the cells of tables, with links to other pages of the site."""

    def __init__(self, paths: set[str]) -> None:
        self.paths = paths
        self.studies = studies()

    def cell_for(self, root: str) -> Any:
        """Return the formatter of cells for a page with `root` as its path to the site's root."""

        def cell(figure: Figure, row: tuple[Any, ...], index: int, column: Column) -> Any:
            record = dict(zip(figure.answer.columns, row, strict=True))
            text = formats.shown(row[index], column.kind, record, column.name)
            target = self._target(column.kind, row[index], record)
            if target is None:
                return text
            href = target if target.startswith("https://") else root + target
            return Markup('<a href="{0}">{1}</a>').format(href, text)

        return cell

    def _target(self, kind: str, value: Any, record: dict[str, Any]) -> str | None:
        match kind:
            case "economy":
                path = f"reporters/{record['reporter_code']}.html"
            case "study":
                path = self.studies.get(str(record["text_release"]), "")
            case "table":
                path = f"dictionary/{value}.html"
            case "file":
                return f"data/{value}.parquet"
            case "link":
                return record["url"]
            case _:
                return None
        return path if path in self.paths else None


def _write_dbt_docs(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    columns = con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where not internal order by column_index"
    )
    (folder / DBT_DOCS).write_text(dbt_docs(columns.fetchall()), "utf-8")


def _copy_downloads(settings: Settings, publication_id: str, folder: Path) -> None:
    """Put the publication's downloads into the site, so that it is self-contained."""
    exports = exports_of(settings, publication_id)
    if exports.is_dir():
        folder.mkdir()
        for path in exports.iterdir():
            link_or_copy(path, folder / path.name)


def _write_assets(settings: Settings, folder: Path) -> None:
    assets = folder / "assets"
    assets.mkdir()
    for path in (_HERE / "assets").iterdir():
        shutil.copyfile(path, assets / path.name)  # not its permissions: it may be read-only
    # Bundling takes seconds, so it is done once.
    kept = settings.reports / f"vega-{version('vl-convert-python')}.js"
    if not kept.exists() and folder.is_relative_to(settings.reports):
        replace_text(kept, _vega())
    if kept.exists():
        link_or_copy(kept, assets / "vega.js")
    else:
        (assets / "vega.js").write_text(_vega(), "utf-8")


def _vega() -> str:
    """Return Vega, Vega-Lite and Vega-Embed as one script."""
    import vl_convert

    # Wrapped in a function, so that it adds only its three exports to the page's globals.
    bundle = vl_convert.javascript_bundle()  # type: ignore[call-arg]  # the stub has no default
    return f"(()=>{{{bundle}}})();"


def _activate(settings: Settings, folder: Path) -> None:
    settings.readers.may_read(folder)
    replace_folder(settings.report, str(folder.relative_to(settings.warehouse_dir)))
    for other in settings.reports.iterdir():
        if other.is_dir() and other != folder:
            shutil.rmtree(other)
