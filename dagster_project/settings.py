"""Every setting of the warehouse, read from the environment (`ROYALTY_*`), with its default."""

from functools import cached_property
from pathlib import Path
from typing import Any

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PROJECT_ROOT = Path(__file__).resolve().parents[1]


class Settings(BaseSettings):
    """Where files are and what DuckDB may use. Relative folders are taken from the project root."""

    model_config = SettingsConfigDict(env_prefix="ROYALTY_", frozen=True)

    landing_dir: Path = Field(
        default=Path("landing"),
        validate_default=True,
        description="Raw files: <source>/<release>/<file>.",
    )
    warehouse_dir: Path = Field(
        default=Path("warehouse"),
        validate_default=True,
        description="Holds the workbench, the candidate and the published warehouse.",
    )
    duckdb_memory_limit: str = Field(default="4GB", description="DuckDB's memory_limit.")
    duckdb_threads: int = Field(default=2, ge=1, description="DuckDB's threads.")
    keep_publications: int = Field(default=3, ge=1, description="Publications kept for rollback.")

    @field_validator("landing_dir", "warehouse_dir")
    @classmethod
    def _from_project_root(cls, folder: Path) -> Path:
        return (PROJECT_ROOT / folder).resolve()

    @property
    def workbench(self) -> Path:
        """Raw, staging, intermediate and the ledger; only the ETL opens it."""
        return self.warehouse_dir / "workbench.duckdb"

    @property
    def candidate(self) -> Path:
        """The next warehouse file while it is built. Its path never changes: dbt attaches it."""
        return self.warehouse_dir / "candidate" / "royalty_flows.duckdb"

    @property
    def warehouse(self) -> Path:
        """The published file."""
        return self.warehouse_dir / "royalty_flows.duckdb"

    @property
    def publications(self) -> Path:
        """The last publications, one file each, for rollback."""
        return self.warehouse_dir / "publications"

    @cached_property
    def duckdb_config(self) -> dict[str, Any]:
        """Options for `duckdb.connect`."""
        return {"memory_limit": self.duckdb_memory_limit, "threads": self.duckdb_threads}
