"""Every setting of the warehouse, from the environment (`ROYALTY_*`) or `.env`, or its default."""

import os
import re
import unicodedata
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import ByteSize, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    DotEnvSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from dagster_project.base.child import ChildLimits
from dagster_project.base.errors import BadInput
from dagster_project.base.limits import ReleaseLimits
from dagster_project.base.private_files import Readers

PROJECT_ROOT = Path(__file__).resolve().parents[2]
PREFIX = "ROYALTY_"
FOLDERS = ("landing_dir", "warehouse_dir", "superset_dir")
PUBLISHED_FILE = "royalty_flows.duckdb"
EVERYONE = "everyone"
PATCHES = ("dagster_event_log", "dagster_run_origin", "gx_single_scan")
_SHOWN = 200  # characters of a path in a message
_STORES = ("s3", "gs", "az", "file")


def _group_number(group: str) -> int | None:
    """Return a group's number; None for everyone. Raises ValueError if there is no such group."""
    if group in ("", EVERYONE) or os.name != "posix":
        return None
    if group.isascii() and group.isdecimal():
        return int(group)
    import grp

    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise ValueError(f"no group of that name on this machine: {group}") from None


def from_project_root(folder: Path, setting: str) -> Path:
    """Return a folder, absolute. Relative paths start at the project root; `~` is the user's home.

    A folder that exists with its letters composed in the other way (macOS decomposes them) is that.
    Raises BadInput, with the setting's name, if there can be no such folder.
    """
    try:
        path = PROJECT_ROOT / folder.expanduser()
        composed, decomposed = (
            Path(unicodedata.normalize("NFC", str(path))),
            Path(unicodedata.normalize("NFD", str(path))),
        )
        return next((form for form in (path, composed, decomposed) if form.exists()), path)
    except (OSError, RuntimeError, ValueError) as error:  # too long; no such user; a loop of links
        raise BadInput(
            "a path that cannot be used",
            where=setting,
            expected="a folder that exists, or can be created",
            found=f"{str(folder)[:_SHOWN]}: {getattr(error, 'strerror', None) or error}",
            fix=f"set {setting} to another folder, or unset it",
        ) from error


def env_file() -> Path | None:
    """Return the file of settings, which may not exist; None if `ROYALTY_ENV_FILE` is empty."""
    named = os.environ.get("ROYALTY_ENV_FILE", ".env")
    return from_project_root(Path(named), "ROYALTY_ENV_FILE") if named else None


class Settings(BaseSettings):
    """Where files are and how much DuckDB may use. Relative paths start at the project root."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file_encoding="utf-8-sig",
        extra="ignore",
        frozen=True,
        allow_inf_nan=False,
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return the order: arguments, environment, file."""
        return init_settings, env_settings, DotEnvSettingsSource(cls, env_file=env_file())

    landing_dir: Path = Field(
        default=Path("landing"),
        validate_default=True,
        description="Raw files: <source>/<release>/<file>.",
    )
    bundled_releases: bool = Field(
        default=True,
        description="Load the releases that come with the project (`landing/`) besides those of"
        " another landing folder.",
    )
    settle_seconds: float = Field(
        default=5,
        ge=0,
        le=86_400,
        description="Seconds for which a release's files must be unchanged before it is loaded.",
    )
    release_files: int = Field(default=1000, ge=1, description="Files that a release may have.")
    release_bytes: ByteSize = Field(
        default=ByteSize(32 << 30), description="Bytes that a release's files may have in all."
    )
    reader_memory: ByteSize = Field(
        default=ByteSize(4 << 30),
        ge=1 << 30,
        description="Memory of the process that reads a release's files.",
    )
    reader_seconds: float = Field(
        default=3600, gt=0, description="Seconds after which that process is ended."
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
    duckdb_threads: int = Field(default=2, ge=1, le=1024, description="DuckDB's threads.")
    batis_all_items: bool = Field(
        default=False,
        description="Keep all 31 items of BaTIS in its raw table, not only intellectual property.",
    )
    downloads: bool = Field(
        default=True, description="Also write each publication's tables as Parquet."
    )
    keep_publications: int = Field(default=3, ge=1, description="Publications kept for rollback.")
    read_group: str = Field(
        default="",
        description="Group, by name or number, that alone may read published files; `everyone`"
        " opens the warehouse folder to all. Not set: all may, unless the folder was closed.",
    )
    publish_url: str = Field(
        default="",
        description="Where each publication is also put, for readers elsewhere: s3://bucket/prefix,"
        " gs://…, az://…, file:///…. Credentials come from the store's variables (AWS_…).",
    )
    publish_seconds: float = Field(
        default=60, gt=0, description="Seconds for which a request to that store is retried."
    )
    publish_pause_seconds: float = Field(
        default=60,
        ge=0,
        description="Pause before a failed upload is retried; a second one is twice as long.",
    )
    signing_key: Path | None = Field(
        default=None,
        description="Secret key of minisign, a file without a password: signs each publication.",
    )
    verify_key: str = Field(
        default="",
        description="Public key of minisign, or its file, for signatures in `make verify`.",
    )
    report_url: str = Field(
        default="",
        description="URL of the report, if it is served: assets in the UI link to their pages.",
    )
    keep_days: int = Field(
        default=90, ge=1, le=36_500, description="Days after which `make prune` removes leftovers."
    )
    automation: bool = Field(
        default=False,
        description="Whether schedules and the sensor start switched on. A switch made in the"
        " UI takes precedence.",
    )

    fetch_base_urls: dict[str, str] = Field(
        default={},
        description="Other addresses to fetch from (a mirror, a test server), as JSON:"
        ' {"<source>": "https://..."}. Set a proxy with HTTPS_PROXY.',
    )
    fetch_attempts: int = Field(default=5, ge=1, description="Download attempts per file.")
    fetch_connect_seconds: float = Field(default=10, gt=0, description="Connection time-out.")
    fetch_read_seconds: float = Field(default=60, gt=0, description="Read time-out of a response.")
    fetch_total_seconds: float = Field(
        default=3600, gt=0, description="Time-out of one download attempt."
    )
    fetch_pause_seconds: float = Field(
        default=600,
        gt=0,
        description="Pause before a failed fetch is retried, up to three times; the second and"
        " third pause are twice and four times as long.",
    )
    bea_api_key: SecretStr | None = Field(
        default=None, description="Key of the BEA API (apps.bea.gov/api/signup)."
    )
    wto_api_key: SecretStr | None = Field(
        default=None, description="Key of the WTO's timeseries API (apiportal.wto.org)."
    )
    wto_stats_through: Literal["bulk", "api"] = Field(
        default="bulk",
        description="How WTO Stats is fetched: from the bulk file, which is annual, or the API,"
        " which also has quarters, months and growth, and needs a key.",
    )
    worldbank_wdi_through: Literal["bulk", "api"] = Field(
        default="bulk",
        description="How World Bank data is fetched: from the bulk download, which also has the"
        " metadata of countries, or the API, if the bulk download fails.",
    )

    notify_webhook: SecretStr | None = Field(
        default=None,
        description="Webhook URL for alerts, as JSON that Slack and similar tools understand.",
    )
    notify_email: str = Field(
        default="", description="Recipients of alerts by mail, separated by commas."
    )
    notify_from: str = Field(default="royalty-flows@localhost", description="Sender of the mail.")
    notify_seconds: float = Field(
        default=20, gt=0, lt=25, description="Seconds for which each destination is retried."
    )  # a sensor has a minute, and there may be two destinations
    smtp_host: str = Field(default="localhost", description="The mail server.")
    smtp_port: int | None = Field(
        default=None, description="Mail server's port, if not 587 (starttls), 465 (tls), 25 (none)."
    )
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection to the mail server is encrypted."
    )
    smtp_user: str = Field(default="", description="User name at the mail server, if it needs one.")
    smtp_password: SecretStr | None = Field(default=None, description="The user's password.")
    dagster_postgres_url: SecretStr | None = Field(
        default=None,
        description="PostgreSQL database for Dagster's runs, events and schedules, as"
        " postgresql://user:password@host/database; without it they are files in DAGSTER_HOME.",
    )
    ui_url: str = Field(
        default="http://127.0.0.1:3000", description="URL of the Dagster UI, for links in alerts."
    )
    ui_hosts: str = Field(
        default="",
        description="Host names by which browsers reach the UI through a proxy, separated by"
        " commas, besides 127.0.0.1 and localhost.",
    )
    log_format: Literal["text", "json"] = Field(
        default="text", description="Lines for people, or one JSON object per line for a log store."
    )

    patches: str = Field(
        default=",".join(PATCHES),
        description="Changes to the behaviour of libraries, by name"
        " (`dagster_project/patches/`); `off` disables all.",
    )

    @field_validator("patches")
    @classmethod
    def _of_known_names(cls, names: str) -> str:
        unknown = {name.strip() for name in names.split(",")} - {*PATCHES, "off"}
        if unknown:
            raise ValueError(f"no patch of that name: {', '.join(sorted(unknown))}")
        return names

    @field_validator("read_group")
    @classmethod
    def _of_the_system(cls, group: str) -> str:
        _group_number(group)
        return group

    @property
    def readers(self) -> Readers:
        """Who may read published files."""
        return Readers(_group_number(self.read_group))

    def is_patched(self, name: str) -> bool:
        """Whether a patch is on."""
        return name in [each.strip() for each in self.patches.split(",")]

    @field_validator("publish_url")
    @classmethod
    def _without_credentials(cls, url: str) -> str:
        if not url:
            return url
        parts = urlsplit(url)
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise BadInput(  # no ValueError: pydantic would quote the URL
                "a URL that may hold credentials",
                where="ROYALTY_PUBLISH_URL",
                expected="s3://bucket/prefix; credentials and options in the store's variables",
                found="a URL with a user, a query or a fragment, which is not repeated here",
                fix="move the credentials to AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, …",
            )
        place = parts.path.strip("/") if parts.scheme == "file" else parts.netloc
        if (
            parts.scheme not in _STORES
            or not place
            or (parts.scheme == "file") == bool(parts.netloc)
        ):
            raise ValueError("expected s3://bucket/prefix, gs://…, az://… or file:///folder")
        return url.rstrip("/")

    @field_validator("ui_hosts")
    @classmethod
    def _plain_hosts(cls, hosts: str) -> str:
        for host in filter(None, map(str.strip, hosts.split(","))):
            if not re.fullmatch(r"(\[[0-9a-fA-F:.]+\]|[\w.-]+)(:\d+)?", host, re.ASCII):
                raise ValueError(f"expected `host` or `host:port`, not {host!r}")
        return hosts

    @property
    def allowed_ui_hosts(self) -> frozenset[str]:
        """The hosts of `ui_hosts`."""
        return frozenset(filter(None, map(str.strip, self.ui_hosts.split(","))))

    @field_validator(*FOLDERS, "signing_key", mode="before")
    @classmethod
    def _default_for_nothing(cls, path: Any, info: ValidationInfo) -> Any:
        """Return the default for an empty text, which would be the project's own folder."""
        is_empty = isinstance(path, str) and not path.strip()
        return cls.model_fields[str(info.field_name)].default if is_empty else path

    @field_validator(*FOLDERS)
    @classmethod
    def _from_project_root(cls, folder: Path, info: ValidationInfo) -> Path:
        return from_project_root(folder, f"{PREFIX}{str(info.field_name).upper()}").resolve()

    @field_validator("warehouse_dir")
    @classmethod
    def _without_question_mark(cls, folder: Path) -> Path:
        if "?" in str(folder):
            raise ValueError(f"DuckDB cannot write to a path with a question mark: {folder}")
        return folder

    @property
    def bundled_dir(self) -> Path | None:
        """The releases that come with the project; None if they are disabled or already landed."""
        bundled = PROJECT_ROOT / "landing"
        return bundled if self.bundled_releases and bundled != self.landing_dir else None

    @property
    def release_limits(self) -> ReleaseLimits:
        """The limits on a release and on the process that reads it."""
        reader = ChildLimits(self.reader_memory, self.reader_seconds)
        return ReleaseLimits(self.release_files, self.release_bytes, reader)

    @property
    def workbench(self) -> Path:
        """Raw, staging, intermediate and the ledger; only the pipeline opens it."""
        return self.warehouse_dir / "workbench.duckdb"

    @property
    def crash_record(self) -> Path:
        """What native code leaves if it ends a run; see `base/native_crash.py`."""
        return self.warehouse_dir / ".native_crash"

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
        """The latest publications, one file each, for rollback."""
        return self.warehouse_dir / "publications"

    @property
    def exports(self) -> Path:
        """The downloads of each kept publication; `current` links to the live ones."""
        return self.warehouse_dir / "exports"

    @property
    def report(self) -> Path:
        """The live report: a link to one of `reports`."""
        return self.warehouse_dir / "report"

    @property
    def reports(self) -> Path:
        """The report, and the next one while it is being written."""
        return self.warehouse_dir / "reports"

    @cached_property
    def duckdb_config(self) -> dict[str, Any]:
        """Options for `duckdb.connect`. No extension is downloaded or loaded."""
        return {
            "memory_limit": self.duckdb_memory_limit,
            "threads": self.duckdb_threads,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "allow_community_extensions": False,
        }

    @cached_property
    def duckdb_closed_config(self) -> dict[str, Any]:
        """Options for connections that read only their own database."""
        return {
            **self.duckdb_config,
            "enable_external_access": False,
            "python_enable_replacements": False,
            "lock_configuration": True,
        }


def local_folder(url: str) -> Path | None:
    """Return the folder that a `file:` URL names; None for any other URL."""
    parts = urlsplit(url)
    return Path(unquote(parts.path)) if parts.scheme == "file" else None
