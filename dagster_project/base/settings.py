"""Every setting of the warehouse, read from the environment (`ROYALTY_*`), with its default."""

from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PUBLISHED_FILE = "royalty_flows.duckdb"
PATCHES = ("dagster_event_log", "dagster_run_origin", "gx_single_scan")


class Settings(BaseSettings):
    """Where files are and what DuckDB may use. Relative folders are taken from the project root."""

    model_config = SettingsConfigDict(env_prefix="ROYALTY_", frozen=True)

    landing_dir: Path = Field(
        default=Path("landing"),
        validate_default=True,
        description="Raw files: <source>/<release>/<file>.",
    )
    bundled_releases: bool = Field(
        default=True,
        description="Load the releases that come with the project (`landing/`) beside those of"
        " another landing folder.",
    )
    settle_seconds: float = Field(
        default=5,
        ge=0,
        description="How long the files of a release must not have changed before it is loaded.",
    )
    warehouse_dir: Path = Field(
        default=Path("warehouse"),
        validate_default=True,
        description="Holds the workbench, the candidate and the published warehouse.",
    )
    superset_dir: Path = Field(
        default=Path(".superset"),
        validate_default=True,
        description="Superset's metadata, secret key and password.",
    )
    duckdb_memory_limit: str = Field(default="4GB", description="DuckDB's memory_limit.")
    duckdb_threads: int = Field(default=2, ge=1, description="DuckDB's threads.")
    batis_all_items: bool = Field(
        default=False,
        description="Keep all 31 items of BaTIS in its raw table, not intellectual property alone.",
    )
    downloads: bool = Field(
        default=True, description="Write each publication's tables as Parquet, too."
    )
    keep_publications: int = Field(default=3, ge=1, description="Publications kept for rollback.")
    report_url: str = Field(
        default="",
        description="Where the report is served, if it is: assets in the UI link to their pages.",
    )
    keep_days: int = Field(
        default=90, ge=1, description="Days after which `make prune` removes what no longer counts."
    )
    automation: bool = Field(
        default=False,
        description="Whether schedules and sensor are on from the start. What was switched in the"
        " UI stays as it is.",
    )

    fetch_base_urls: dict[str, str] = Field(
        default={},
        description="Other addresses to fetch from (a mirror, a test server), as JSON:"
        ' {"<source>": "https://..."}. A proxy is set by HTTPS_PROXY, as everywhere.',
    )
    fetch_attempts: int = Field(default=5, ge=1, description="Attempts at each file.")
    fetch_connect_seconds: float = Field(default=10, gt=0, description="Time-out of connecting.")
    fetch_read_seconds: float = Field(
        default=60, gt=0, description="Time-out of each piece of an answer."
    )
    fetch_total_seconds: float = Field(
        default=3600, gt=0, description="Time-out of one attempt at a file."
    )
    fetch_pause_seconds: float = Field(
        default=600,
        gt=0,
        description="Pause before a fetch that failed is tried again, three times; the second and"
        " third are twice and four times as long.",
    )
    bea_api_key: SecretStr | None = Field(
        default=None, description="Key of the BEA API (apps.bea.gov/api/signup)."
    )
    wto_api_key: SecretStr | None = Field(
        default=None, description="Key of the WTO's timeseries API (apiportal.wto.org)."
    )
    wto_stats_through: Literal["bulk", "api"] = Field(
        default="bulk",
        description="What WTO Stats is fetched through: the bulk file, which is annual, or the API,"
        " which has quarters, months and growth too and asks for a key.",
    )
    worldbank_wdi_through: Literal["bulk", "api"] = Field(
        default="bulk",
        description="What World Bank data is fetched through: the bulk download, which has the"
        " metadata of countries too, or the API, if the bulk download should fail.",
    )

    notify_webhook: SecretStr | None = Field(
        default=None,
        description="Where failures are posted to, as JSON that Slack and its like understand.",
    )
    notify_email: str = Field(
        default="", description="Whom failures are mailed to; several with commas between them."
    )
    notify_from: str = Field(
        default="royalty-flows@localhost", description="Whom the mail is from."
    )
    notify_seconds: float = Field(
        default=20, gt=0, lt=25, description="How long each address is tried."
    )  # a sensor has a minute, and there may be two addresses
    smtp_host: str = Field(default="localhost", description="The mail server.")
    smtp_port: int | None = Field(
        default=None, description="Its port, if not 587 (starttls), 465 (tls) or 25 (none)."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to the mail server is encrypted."
    )
    smtp_user: str = Field(default="", description="User at the mail server, if it asks for one.")
    smtp_password: SecretStr | None = Field(default=None, description="The user's password.")
    ui_url: str = Field(
        default="http://127.0.0.1:3000", description="The Dagster UI, for links in messages."
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Lines for people, or one JSON object a line for a log store."
    )

    patches: str = Field(
        default=",".join(PATCHES),
        description="Changes to the behaviour of libraries that save time, by name"
        " (`dagster_project/patches/`); `off` is none.",
    )

    @field_validator("patches")
    @classmethod
    def _of_known_names(cls, names: str) -> str:
        unknown = {name.strip() for name in names.split(",")} - {*PATCHES, "off"}
        if unknown:
            raise ValueError(f"no patch of that name: {', '.join(sorted(unknown))}")
        return names

    def is_patched(self, name: str) -> bool:
        """Whether a patch is on."""
        return name in [each.strip() for each in self.patches.split(",")]

    @field_validator("landing_dir", "warehouse_dir", "superset_dir")
    @classmethod
    def _from_project_root(cls, folder: Path) -> Path:
        return (PROJECT_ROOT / folder).resolve()

    @property
    def bundled_dir(self) -> Path | None:
        """The releases that come with the project; None if they are landed ones or left out."""
        bundled = PROJECT_ROOT / "landing"
        return bundled if self.bundled_releases and bundled != self.landing_dir else None

    @property
    def workbench(self) -> Path:
        """Raw, staging, intermediate and the ledger; only the ETL opens it."""
        return self.warehouse_dir / "workbench.duckdb"

    @property
    def candidate(self) -> Path:
        """The next warehouse file while it is built. Its path never changes: dbt attaches it."""
        return self.warehouse_dir / "candidate" / PUBLISHED_FILE

    @property
    def warehouse(self) -> Path:
        """The published file."""
        return self.warehouse_dir / PUBLISHED_FILE

    @property
    def publications(self) -> Path:
        """The last publications, one file each, for rollback."""
        return self.warehouse_dir / "publications"

    @property
    def exports(self) -> Path:
        """The downloads of each kept publication; `current` leads to the live ones."""
        return self.warehouse_dir / "exports"

    @property
    def report(self) -> Path:
        """The live report: a link to one of `reports`."""
        return self.warehouse_dir / "report"

    @property
    def reports(self) -> Path:
        """The report, and the next one while it is written."""
        return self.warehouse_dir / "reports"

    @cached_property
    def duckdb_config(self) -> dict[str, Any]:
        """Options for `duckdb.connect`. No extension is fetched or loaded: none is needed."""
        return {
            "memory_limit": self.duckdb_memory_limit,
            "threads": self.duckdb_threads,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }

    @cached_property
    def duckdb_closed_config(self) -> dict[str, Any]:
        """Options for connections that read their own database and no other file."""
        return {
            **self.duckdb_config,
            "enable_external_access": False,
            "python_enable_replacements": False,
            "lock_configuration": True,
        }
