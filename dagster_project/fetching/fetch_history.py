"""The last fetch of each source, in `<landing>/<source>/.fetched.json`, which may be deleted.

It holds the server's identifiers of each file's version, so that an unchanged file is not
downloaded again, and how each release got its date.
"""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dagster_project.base.durable_files import replace_text
from dagster_project.base.hashing import file_sha256
from dagster_project.fetching.download import Validators

NAME = ".fetched.json"


@dataclass(frozen=True)
class CachedResponse:
    """The version served at one URL, and the files made from it, with their SHA-256."""

    validators: Validators
    files: dict[str, str]


@dataclass
class FetchHistory:
    """The last fetch of a source. `release` is the folder that holds its files."""

    folder: Path
    release: str = ""
    served: dict[str, CachedResponse] = field(default_factory=dict)
    dated_by: dict[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, folder: Path) -> "FetchHistory":
        """Read the history; a missing or corrupt file gives an empty one."""
        try:
            document = json.loads((folder / NAME).read_bytes())
            return cls(
                folder,
                document["release"],
                {
                    url: CachedResponse(
                        Validators(entry["etag"], entry["last_modified"]), entry["files"]
                    )
                    for url, entry in document["served"].items()
                },
                document["dated_by"],
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return cls(folder)

    def landed(self, name: str) -> Path:
        """Return the path of a file of the last release."""
        return self.folder / self.release / name

    def known(self, url: str) -> CachedResponse | None:
        """Return the known version of a URL, if all its files are still as they landed."""
        served = self.served.get(url)
        if served is None or not served.validators.headers or not served.files:
            return None
        for name, digest in served.files.items():
            path = self.landed(name)
            if not path.is_file() or file_sha256(path) != digest:
                return None
        return served

    def write(self) -> None:
        """Replace the file, in one step."""
        document: dict[str, Any] = {
            "release": self.release,
            "dated_by": self.dated_by,
            "served": {
                url: {**vars(served.validators), "files": served.files}
                for url, served in self.served.items()
            },
        }
        replace_text(self.folder / NAME, json.dumps(document, indent=1) + "\n")
