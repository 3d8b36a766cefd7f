"""Raw assets: one multi-asset per source, one partition per release.

A backfill is one run for each range of neighbours among the chosen releases: Dagster's tags of a
run name only the first and the last. Each release is loaded in its own transaction, and a refused
one does not stop the others: the gate that follows fails with the reason.
"""

from collections.abc import Iterator
from typing import Any

import dagster as dg

from dagster_project.base.child import Child
from dagster_project.base.errors import BadInput, printable
from dagster_project.base.machine_errors import MachineError
from dagster_project.defs.fetch import fetch_key
from dagster_project.defs.progress import progress_report
from dagster_project.defs.resources import WRITING_POOL, Workbench
from dagster_project.fetching.publishers import all_fetchers
from dagster_project.ingest.load_release import LoadMetrics, LoadResult, load_release
from dagster_project.ingest.pending_releases import find_release, ignored_note, wait_until_settled
from dagster_project.layouts import LINEAGE_COLUMNS, RawTable
from dagster_project.sources.code_lists import seed
from dagster_project.sources.source import Source

REFUSED = "refused"  # materialization metadata: why the release was not loaded


class IngestConfig(dg.Config):
    """How a release is loaded."""

    reload: bool = False
    """Load an accepted release again, after a change of its files or of its source module."""


def releases_partition(source: Source) -> dg.DynamicPartitionsDefinition:
    """The releases of a source, as partitions."""
    return dg.DynamicPartitionsDefinition(name=source.name)


def raw_key(table: RawTable) -> dg.AssetKey:
    """The asset key of a raw table."""
    return dg.AssetKey(["raw", table.name])


def landing_key(source: str) -> dg.AssetKey:
    """The asset key of a source's landing folder."""
    return dg.AssetKey(["landing", source])


def landing_folder(source: Source) -> dg.AssetSpec:
    """Return a source's landing folder, which the UI shows between fetch and raw tables. An
    external asset, as people add files too: a load neither waits for a fetch nor starts one.
    """
    return dg.AssetSpec(
        landing_key(source.name),
        group_name="landing",
        deps=[fetch_key(source.name)] if source.name in all_fetchers() else [],
        kinds={"file"},
        description=f"The landing folder of {source.name}: one folder per release, with the"
        " publisher's files as fetched or added by hand.",
    )


def raw_assets(source: Source) -> dg.AssetsDefinition:
    """Return the asset that loads one release into all raw tables of a source."""
    partitions = releases_partition(source)

    @dg.multi_asset(
        name=f"load_{source.name}",
        specs=_specs(source, partitions),
        partitions_def=partitions,
        backfill_policy=dg.BackfillPolicy.single_run(),
        pool=WRITING_POOL,
    )
    def load(
        context: dg.AssetExecutionContext,
        config: IngestConfig,
        workbench: Workbench,
        reader: dg.ResourceParam[Child],
    ) -> Iterator[dg.MaterializeResult]:
        refused: dict[str, BadInput] = {}
        for day in context.partition_keys:
            try:
                with workbench.crash_recorded("load", source.name, day):
                    loaded = _load(context, source, day, workbench, reader, config.reload)
            except MachineError:
                raise  # no verdict on the release
            except BadInput as problem:
                context.log.error(str(problem))
                refused[day] = problem
                for table in source.tables:
                    context.add_asset_metadata({REFUSED: str(problem)}, raw_key(table), day)
                continue
            for table in source.tables:
                context.add_asset_metadata(_metadata(loaded, table, day), raw_key(table), day)
        if len(refused) == len(context.partition_keys):
            first = next(iter(refused.values()))
            text = "\n".join(str(problem) for problem in refused.values())
            raise dg.Failure(text, metadata=vars(first), allow_retries=False) from first
        with workbench.get_connection() as con:
            counts = {
                table.name: con.table(f"raw.{table.name}").aggregate("count(*)").fetchall()[0][0]
                for table in source.tables
            }
        for table in source.tables:
            yield dg.MaterializeResult(
                asset_key=raw_key(table), metadata={"dagster/row_count": counts[table.name]}
            )

    return load


def _specs(source: Source, partitions: dg.PartitionsDefinition) -> list[dg.AssetSpec]:
    about = next((row for row in seed("sources") if row["source"] == source.name), None)
    if about is None:
        raise BadInput(
            "the source has no row in the seed",
            where="dbt/seeds/sources.csv",
            expected=f"a row for {source.name}",
            found="none",
            fix="add it: docs/adding-a-source.md",
        )
    metadata: dict[str, Any] = {"publisher": about["publisher"], "licence": about["licence"]}
    if about["url"]:
        metadata["served at"] = dg.MetadataValue.url(about["url"])
    if source.manual_instructions:
        metadata["landed by hand"] = source.manual_instructions
    return [
        dg.AssetSpec(
            raw_key(table),
            deps=[landing_key(source.name)],
            group_name="raw",
            description=f"{about['publisher']}: {about['title']}. Every cell as published,"
            " with its file, sheet and row.",
            kinds={"duckdb", "python"},
            metadata={**metadata, "dagster/column_schema": _column_schema(table)},
            partitions_def=partitions,
            freshness_policy=freshness(source),
        )
        for table in source.tables
    ]


def _column_schema(table: RawTable) -> dg.TableSchema:
    columns = dict.fromkeys(table.data_columns, "VARCHAR") | LINEAGE_COLUMNS
    return dg.TableSchema([dg.TableColumn(name, type_) for name, type_ in columns.items()])


def _load(
    context: dg.AssetExecutionContext,
    source: Source,
    day: str,
    workbench: Workbench,
    reader: Child,
    reload: bool,
) -> LoadResult:
    """Load one release and log the notes on its files. Raises BadInput if it is refused."""
    settings = workbench.settings
    release = find_release(
        source, settings.landing_dir, day, settings.bundled_dir, settings.release_limits
    )
    wait_until_settled(release, settings.settle_seconds)
    if release.ignored:
        context.log.info(printable(ignored_note(release)))
    with workbench.get_connection() as con:
        loaded = load_release(
            con,
            source.configured(settings),
            release,
            reload=reload,
            report=progress_report(context),
            limits=settings.release_limits,
            reader=reader,
        )
    if loaded.unchanged:
        context.log.info(f"{release.label}: already loaded and accepted with the same bytes")
        return loaded
    for entry in loaded.files:
        if entry.reason:
            log = context.log.info if entry.rows_read else context.log.warning
            log(printable(f"{release.label}, {entry.file_name}: {entry.reason}"))
    return loaded


def _metrics(measured: LoadMetrics | None) -> dict[str, float]:
    """Return numbers that the UI plots over time; none if nothing was loaded."""
    if measured is None or not measured.bytes:
        return {}
    return {
        "rows read": measured.rows_read,
        "rows kept": measured.rows_kept,
        "rows left out": measured.rows_read - measured.rows_kept,
        "bytes": measured.bytes,
        "seconds": round(measured.seconds, 3),
        "rows per second": round(measured.rows_read / measured.seconds),
    }


def freshness(source: Source) -> dg.FreshnessPolicy | None:
    """Return a source's freshness policy, from its publisher's calendar."""
    due = source.calendar
    return (
        dg.FreshnessPolicy.cron(due.deadline_cron, due.freshness_window, due.timezone)
        if due
        else None
    )


def _metadata(loaded: LoadResult, table: RawTable, day: str) -> dict[str, Any]:
    return {
        "dagster/partition_row_count": loaded.rows[table.name],
        "release": day,
        "files": _files_table(loaded.files),
        "loaded": not loaded.unchanged,
        **_metrics(loaded.measured.get(table.name)),
    }


def _files_table(files: tuple) -> dg.TableMetadataValue:
    return dg.MetadataValue.table(
        [
            dg.TableRecord(
                {
                    "file": printable(entry.file_name),
                    "bytes": entry.bytes,
                    "records read": entry.rows_read,
                    "records kept": entry.rows_kept,
                    "note": printable(entry.reason or ""),
                    "sha256": entry.sha256,
                }
            )
            for entry in files
        ]
    )
