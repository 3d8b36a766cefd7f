"""A fetcher, and the session in which it fetches one release of its source."""

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from dagster_project.base.durable_files import link_or_copy
from dagster_project.base.errors import BadInput
from dagster_project.base.hashing import file_sha256
from dagster_project.base.settings import Settings
from dagster_project.fetching.archive import MemberFilter, unzip
from dagster_project.fetching.download import Downloader, Kind, Validators
from dagster_project.fetching.fetch_history import CachedResponse, FetchHistory
from dagster_project.sources.source import PLAIN_NAME

_MEGA = 1 << 20


@dataclass(frozen=True)
class PublicationDate:
    """When a release was published, and where that date is stated."""

    on: date
    said_by: str


@dataclass(frozen=True)
class Fetcher:
    """How the current release of one source is downloaded.

    base_url: the publisher's URL; `ROYALTY_FETCH_BASE_URLS` overrides it.
    fetch: downloads the release through the session; returns when it was published, or None if only
        the files' Last-Modified headers can say.
    dated_by: where the release's date comes from, in words.
    further_hosts: hosts, besides that of base_url, from which files may come.
    keys: names of the settings that hold API keys.
    volatile: members of JSON files that the server changes in each response (the time, an echo of
        the request), ignored when releases are compared.
    """

    source: str
    base_url: str
    fetch: Callable[["Session"], PublicationDate | None]
    dated_by: str
    further_hosts: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    max_bytes: int = 256 * _MEGA
    max_unpacked_bytes: int = 1024 * _MEGA
    volatile: frozenset[str] = field(default=frozenset())

    def url(self, settings: Settings) -> str:
        """The URL without a trailing slash."""
        return settings.fetch_base_urls.get(self.source, self.base_url).rstrip("/")

    def hosts(self, settings: Settings) -> frozenset[str]:
        """The hosts from which files may come."""
        try:
            host = httpx.URL(self.url(settings)).netloc.decode("ascii").lower()
        except httpx.InvalidURL:
            host = ""
        return frozenset({host, *self.further_hosts} - {""})

    def fingerprint(self, path: Path) -> str:
        """Return the SHA-256 of a file's bytes, without its volatile members."""
        if not self.volatile:
            return file_sha256(path)
        try:
            said = _without(json.loads(path.read_bytes()), self.volatile)
        except ValueError:  # not a file of this fetcher
            return file_sha256(path)
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _without(document: Any, names: frozenset[str]) -> Any:
    if isinstance(document, dict):
        return {
            name: _without(value, names) for name, value in document.items() if name not in names
        }
    if isinstance(document, list):
        return [_without(value, names) for value in document]
    return document


class Session:
    """One fetch of one source: its files go to `release`, temporary downloads to `scratch`.

    Both folders are on the landing folder's file system, so that the release lands by a rename.
    """

    def __init__(
        self,
        fetcher: Fetcher,
        settings: Settings,
        downloader: Downloader,
        folder: Path,
        history: FetchHistory,
    ) -> None:
        self.settings = settings
        self.base_url = fetcher.url(settings)
        self.release, self.scratch = folder / "release", folder / "scratch"
        self.last_modified: list[datetime] = []
        self.served: dict[str, CachedResponse] = {}
        self._fetcher, self._downloader, self._history = fetcher, downloader, history
        self._pages = 0

    def file(
        self,
        url: str,
        name: str,
        kind: Kind,
        *,
        secret_params: Mapping[str, SecretStr] | None = None,
        secret_headers: Mapping[str, SecretStr] | None = None,
    ) -> Path:
        """Download a file into the release, or reuse an earlier one if it is unchanged."""
        if not PLAIN_NAME.fullmatch(name):
            raise self.problem(
                "a file name with unsupported characters",
                url,
                expected="letters, digits, spaces and . , ( ) + - _ % # & @ = ! '",
                found=repr(name),
                fix="name the file in the source's fetcher",
            )
        target = self.release / name
        known = self._history.known(url)
        answer = self._downloader.download(
            url,
            target,
            kind,
            secret_params=secret_params,
            secret_headers=secret_headers,
            known=known.validators if known else None,
        )
        self._note_date(answer.last_modified)
        if known and answer.not_modified:
            return self._reuse_files(url, known)[0]
        self._remove_keys(target)
        self._record_response(url, answer.validators, [target])
        return target

    def archive(self, url: str, wanted: re.Pattern[str]) -> list[Path]:
        """Download a zip archive and unpack the wanted members into the release."""
        packed = self.scratch / "archive.zip"
        known = self._history.known(url)
        answer = self._downloader.download(
            url, packed, "zip", known=known.validators if known else None
        )
        self._note_date(answer.last_modified)
        if known and answer.not_modified:
            return self._reuse_files(url, known)
        limits = MemberFilter(wanted, self._fetcher.max_unpacked_bytes)
        files = unzip(packed, f"{self._fetcher.source}: {url}", self.release, limits)
        packed.unlink()
        self._record_response(url, answer.validators, files)
        return files

    def page(self, url: str) -> str:
        """Return a web page's text, which does not become part of the release."""
        return self._read(url, "page").decode("utf-8", "replace")

    def json(self, url: str) -> Any:
        """Return a JSON document, which does not become part of the release."""
        return self.parsed(url, self._read(url, "json"))

    def number(self, url: str, *, secret_headers: Mapping[str, SecretStr] | None = None) -> int:
        """Return a count that is the whole response. Raises BadInput."""
        content = self._read(url, "number", secret_headers)
        try:
            return int(content)
        except ValueError:
            raise self.unexpected(url, "a whole number", repr(content[:60])) from None

    def parsed(self, url: str, content: bytes) -> Any:
        """Parse JSON. Raises BadInput."""
        try:
            return json.loads(content)
        except ValueError as error:
            raise self.problem(
                "a response that is not JSON",
                url,
                expected="JSON in UTF-8",
                found=str(error),
                fix="open the address in a browser; the publisher may be down for maintenance",
            ) from None

    def link(self, page: str, href: str) -> str:
        """Return the URL of a link on a page; its host must be allowed."""
        origin = httpx.URL(page)
        try:
            url = origin.join(href)
        except httpx.InvalidURL:
            raise self.unexpected(page, "a valid link", repr(href)) from None
        self._downloader.check_host(url, origin)
        return str(url)

    def unexpected(self, url: str, expected: str, found: str) -> BadInput:
        """Return the error for a page or response that the fetcher does not understand."""
        return self.problem(
            "a page or response with a changed structure",
            url,
            expected=expected,
            found=found,
            fix="open the URL; if the publisher has changed it, correct the source's fetcher"
            " (dagster_project/fetching/publishers/)",
        )

    def problem(self, what: str, url: str, *, expected: str, found: str, fix: str) -> BadInput:
        """Return an error about a URL, without API keys."""
        return self._downloader.problem(what, url, expected=expected, found=found, fix=fix)

    def _read(
        self, url: str, kind: Kind, secret_headers: Mapping[str, SecretStr] | None = None
    ) -> bytes:
        self._pages += 1
        target = self.scratch / f"page-{self._pages}"
        self._downloader.download(url, target, kind, secret_headers=secret_headers)
        return target.read_bytes()

    def _reuse_files(self, url: str, known: CachedResponse) -> list[Path]:
        """Add files of an earlier release to this one, as hard links where there are any."""
        files = []
        for name in known.files:
            link_or_copy(self._history.landed(name), self.release / name)
            files.append(self.release / name)
        self.served[url] = known
        return files

    def _record_response(self, url: str, validators: Validators, files: list[Path]) -> None:
        digests = {path.name: file_sha256(path) for path in files}
        self.served[self._downloader.redact(url)] = CachedResponse(validators, digests)

    def _remove_keys(self, path: Path) -> None:
        """Remove API keys from a file: some servers echo the request in the response."""
        for name in self._fetcher.keys:
            key = getattr(self.settings, name)
            if key and key.get_secret_value():
                content = path.read_bytes().decode("utf-8", "surrogateescape")
                path.write_bytes(
                    self._downloader.redact(content).encode("utf-8", "surrogateescape")
                )
                return

    def _note_date(self, moment: datetime | None) -> None:
        if moment:
            self.last_modified.append(moment)
