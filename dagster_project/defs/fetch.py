"""Fetching as Dagster assets: one per source, upstream of its landing folder."""

import dagster as dg

from dagster_project.base.errors import BadInput, TryLater, printable
from dagster_project.base.settings import Settings
from dagster_project.fetching.fetch_release import DAY_OF_DOWNLOAD, FetchResult, fetch_source
from dagster_project.fetching.fetcher import Fetcher
from dagster_project.fetching.publishers import all_fetchers

GROUP = "fetch"


def fetch_assets(settings: Settings) -> list[dg.AssetsDefinition]:
    """Return one asset per source that can be fetched."""
    retries = dg.RetryPolicy(
        max_retries=3,
        delay=settings.fetch_pause_seconds,
        backoff=dg.Backoff.EXPONENTIAL,
        jitter=dg.Jitter.PLUS_MINUS,
    )
    return [_fetch_asset(fetcher, retries) for fetcher in all_fetchers().values()]


def fetch_key(source: str) -> dg.AssetKey:
    """Return the key of the asset that fetches a source."""
    return dg.AssetKey([GROUP, source])


def _fetch_asset(fetcher: Fetcher, retries: dg.RetryPolicy) -> dg.AssetsDefinition:
    @dg.multi_asset(
        name=f"fetch_{fetcher.source}",
        retry_policy=retries,
        specs=[
            dg.AssetSpec(
                fetch_key(fetcher.source),
                group_name=GROUP,
                kinds={"http"},
                description=f"Fetches the current release of {fetcher.source}, dated by"
                f" {fetcher.dated_by}, into its landing folder.",
                metadata={"served at": dg.MetadataValue.url(fetcher.base_url)},
            )
        ],
    )
    def fetch(
        context: dg.AssetExecutionContext, settings: dg.ResourceParam[Settings]
    ) -> dg.MaterializeResult:
        try:
            fetched = fetch_source(fetcher, settings)
        except BadInput as problem:
            # `from None`: the original error may hold a URL with an API key.
            raise dg.Failure(
                str(problem), metadata=vars(problem), allow_retries=isinstance(problem, TryLater)
            ) from None
        _log_result(context, fetched)
        return dg.MaterializeResult(
            metadata=_metadata(fetched),
        )

    return fetch


def _log_result(context: dg.AssetExecutionContext, fetched: FetchResult) -> None:
    label = fetched.release.label
    if not fetched.is_new:
        context.log.info(f"{label}: unchanged at the publisher; no new release")
    elif fetched.dated_by == DAY_OF_DOWNLOAD:
        context.log.warning(f"{label}: landed, dated by {DAY_OF_DOWNLOAD}")
    else:
        context.log.info(f"{label}: landed, dated by {printable(fetched.dated_by)}")


def _metadata(fetched: FetchResult) -> dict[str, dg.MetadataValue | str | bool]:
    return {
        "release": str(fetched.release.date),
        "dated by": printable(fetched.dated_by) or "not fetched by this project",
        "new": fetched.is_new,
        "files": dg.MetadataValue.table(
            [
                dg.TableRecord({"file": printable(path.name), "bytes": path.stat().st_size})
                for path in fetched.release.files
            ]
        ),
    }
