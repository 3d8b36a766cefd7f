"""Objects below `ROYALTY_PUBLISH_URL`: put, read, list, delete, and replace one if it is unchanged.

On obstore: one wheel without dependencies, conditional writes in S3, GCS and Azure, retries with
pauses. s3fs is nine packages, and writes to S3 alone. Credentials come from the store's own
variables (`AWS_…`), and appear in no message. Functions import obstore: most runs do not need it.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.private_files import public_files, public_folder
from dagster_project.base.settings import Settings, local_folder

if TYPE_CHECKING:
    from obstore import UpdateVersion
    from obstore.store import ObjectStore

READ_BYTES = 1 << 23  # per request: a whole object may take longer than a request may
_PUT_CONCURRENCY = 4  # parts at once; more time out on a slow line
_STATUS = re.compile(r"Server returned non-2xx status code: (?P<status>\d+[\w ]*)")
_CODE = re.compile(r"<Code>(?P<code>\w+)</Code>")


@dataclass(frozen=True)
class Objects:
    """The objects below a URL; their names are relative to it.

    Methods raise TryLater if the store does not answer, BadInput if it refuses access.
    """

    url: str
    store: "ObjectStore"

    @classmethod
    def open(
        cls, settings: Settings, seconds: float | None = None, *, create: bool = False
    ) -> "Objects":
        """Open the store; sends no request.

        seconds: to retry a request, if not as in the settings. create: a local folder.
        Raises TryLater if it cannot be opened, with these variables of the store.
        """
        from obstore.store import from_url

        url = settings.publish_url
        with _report_errors(url):
            if folder := local_folder(url):
                if create:
                    public_folder(folder)
                return cls(url, from_url(url, automatic_cleanup=True))
            patience = settings.publish_seconds if seconds is None else seconds
            retries: Any = {"max_retries": 10, "retry_timeout": timedelta(seconds=patience)}
            # No `client_options`: they replace what the variables say (AWS_ALLOW_HTTP).
            return cls(url, from_url(url, retry_config=retries))

    def put(self, name: str, file: Path) -> None:
        """Store a file; a large one in parts. Readers see all of it or nothing."""
        import obstore

        with _report_errors(self.url), self._readable():
            obstore.put(self.store, name, file, max_concurrency=_PUT_CONCURRENCY)

    def sizes(self, folder: str) -> dict[str, int]:
        """Return the objects below a folder, with their sizes in bytes."""
        import obstore

        with _report_errors(self.url):
            found = obstore.list(self.store, folder)
            return {each["path"]: each["size"] for batch in found for each in batch}

    def folders(self, folder: str) -> list[str]:
        """Return the names of the folders in a folder."""
        import obstore

        with _report_errors(self.url):
            found = obstore.list_with_delimiter(self.store, folder)["common_prefixes"]
            return [path.rpartition("/")[2] for path in found]

    def sha256(self, name: str, size: int) -> str:
        """Return the SHA-256 of an object of `size` bytes, read back from the store."""
        import obstore

        digest = hashlib.sha256()
        with _report_errors(self.url):
            for start in range(0, size, READ_BYTES):
                end = min(start + READ_BYTES, size)
                digest.update(obstore.get_range(self.store, name, start=start, end=end))
        return digest.hexdigest()

    def read(self, name: str) -> tuple[bytes, "UpdateVersion"] | None:
        """Return a small object with its version, for `replace`; None if there is none."""
        import obstore

        with _report_errors(self.url):
            try:
                found = obstore.get(self.store, name)
            except FileNotFoundError:
                return None
            return bytes(found.bytes()), _version(found.meta)

    def replace(self, name: str, content: bytes, version: "UpdateVersion | None") -> bool:
        """Replace an object if it still has this version; create it if that is None.

        Returns whether it now has this content. A local folder cannot compare and replace in one
        step: there, a change in the moment between is lost.
        """
        import obstore
        from obstore.exceptions import AlreadyExistsError, PreconditionError

        mode: Any = version or "create"
        headers = {"Cache-Control": "no-cache", "Content-Type": "application/json"}
        with _report_errors(self.url), self._readable():
            try:
                if local_folder(self.url):
                    if self._version_of(name) != version:
                        return False
                    obstore.put(self.store, name, content)
                else:
                    obstore.put(self.store, name, content, mode=mode, attributes=headers)
            except (AlreadyExistsError, PreconditionError):
                # Also if a request was repeated whose answer was lost.
                found = self.read(name)
                return bool(found and found[0] == content)
        return True

    def delete(self, names: Sequence[str]) -> None:
        """Delete objects; those that are gone already do not matter."""
        import obstore

        with _report_errors(self.url):
            try:
                obstore.delete(self.store, list(names))
            except FileNotFoundError:
                return

    def _version_of(self, name: str) -> "UpdateVersion | None":
        found = self.read(name)
        return found and found[1]

    @contextmanager
    def _readable(self) -> Iterator[None]:
        """Let everybody read what this block creates in a local folder."""
        with ExitStack() as stack:
            if local_folder(self.url):
                stack.enter_context(public_files())
            yield


def _version(meta: Any) -> "UpdateVersion":
    """Return what identifies a version of an object: stores have one of the two, or both."""
    version: Any = {name: meta[name] for name in ("e_tag", "version") if meta.get(name)}
    return version


@contextmanager
def _report_errors(url: str) -> Iterator[None]:
    """Turn the store's errors into bad input.

    `from None`: the original may quote credentials, in an address or in what the server answered.
    """
    from obstore.exceptions import BaseError, PermissionDeniedError, UnauthenticatedError

    try:
        yield
    except (BaseError, NotImplementedError, OSError) as error:
        found, where = _summary(error), f"ROYALTY_PUBLISH_URL: {url}"
        if isinstance(error, PermissionDeniedError | UnauthenticatedError):
            raise BadInput(
                "the object store refuses access",
                where=where,
                expected="credentials that may list, read, write and delete below this URL",
                found=found,
                fix="correct the store's variables (AWS_ACCESS_KEY_ID, …), then `make upload`",
            ) from None
        if isinstance(error, FileNotFoundError) or found.startswith("404"):  # when it lists
            raise BadInput(
                "no such bucket or object",
                where=where,
                expected="a bucket that exists, and objects that only this project deletes",
                found=found,
                fix="create the bucket, or correct the URL, then `make upload`",
            ) from None
        raise TryLater(
            "the object store does not do what it is asked",
            where=where,
            expected="a store that answers, with conditional writes",
            found=found,
            fix="check network, address and the store's variables (AWS_ENDPOINT_URL,"
            " AWS_ALLOW_HTTP for http, …), then `make upload`",
        ) from None


def _summary(error: Exception) -> str:
    """Return an error's first line, without query strings, and the store's code without its page.

    A query string may be a signature, and a page may quote the request.
    """
    text = str(error)
    first = re.sub(r"\?\S+", "?…", text.partition("\n")[0].partition("<?xml")[0]).strip()
    status, code = _STATUS.search(text), _CODE.search(text)
    if status:
        first = " ".join([status["status"].strip(), *([code["code"]] if code else [])])
    return first or type(error).__name__
