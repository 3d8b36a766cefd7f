"""Downloads one file over HTTP, complete and of the expected kind, or fails.

Transient failures are retried, with exponential back-off and jitter: no connection, time-outs, 5xx,
408 and 429, a truncated body. Permanent ones raise BadInput at once: other 4xx, a redirect to
another host, a file that is too large, a web page instead of data.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from urllib.parse import quote
from urllib.request import getproxies

import httpx
from pydantic import SecretStr
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt
from tenacity.wait import wait_exponential_jitter

from dagster_project.base.clock import system_clock
from dagster_project.base.errors import BadInput, TryLater
from dagster_project.base.settings import Settings

Kind = Literal["csv", "json", "number", "workbook", "zip", "page"]

MAX_REDIRECTS = 5
MAX_WAIT_SECONDS = 300.0  # a server that asks for longer is not asked again in this run
REDACTED = "***"

_STARTS: dict[Kind, tuple[bytes, ...]] = {
    "zip": (b"PK\x03\x04",),
    "workbook": (b"PK\x03\x04", b"\xd0\xcf\x11\xe0"),  # .xlsx, .xls
    "json": (b"{", b"["),
    "number": tuple(b"%d" % digit for digit in range(10)),
}
_WEB_PAGE = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body")


@dataclass(frozen=True)
class Validators:
    """A server's identifiers of a file's version; sent back, they get a 304 if it is unchanged."""

    etag: str | None = None
    last_modified: str | None = None

    @property
    def headers(self) -> dict[str, str]:
        """The headers of a conditional request."""
        headers = {}
        if self.etag:
            headers["If-None-Match"] = self.etag
        if self.last_modified:
            headers["If-Modified-Since"] = self.last_modified
        return headers


@dataclass(frozen=True)
class DownloadResult:
    """The result of a download. `not_modified`: the server's file is the known version."""

    validators: Validators
    not_modified: bool = False

    @property
    def last_modified(self) -> datetime | None:
        """The Last-Modified header, in UTC."""
        text = self.validators.last_modified
        return None if text is None else http_date(text)


class _TransientError(Exception):
    """A failure that the next attempt may not have."""

    def __init__(self, found: str, retry_after: float | None = None) -> None:
        super().__init__(found)
        self.found, self.retry_after = found, retry_after


def http_date(text: str) -> datetime | None:
    """Read a date as HTTP headers write it; None if it cannot be read."""
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


# httpx logs each request's URL, and httpcore each response's headers. A logger's filter does not
# apply to its children, so each is named.
_LOGGERS = (
    "httpx",
    *(f"httpcore.{part}" for part in ("connection", "http11", "http2", "proxy", "socks")),
)


class _Redaction(logging.Filter):
    """Removes API keys from log records."""

    def __init__(self, redact: Callable[[str], str]) -> None:
        super().__init__()
        self._redact = redact

    def filter(self, record: logging.LogRecord) -> bool:
        record.msg, record.args = self._redact(record.getMessage()), ()
        return True


class Downloader:
    """Downloads files of one source from the hosts that are allowed for it.

    hosts: `host` or `host:port`, as they are in a URL. sleep: waits between attempts.
    """

    def __init__(
        self,
        settings: Settings,
        source: str,
        hosts: frozenset[str],
        max_bytes: int,
        secrets: tuple[SecretStr, ...] = (),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.source, self.hosts, self.max_bytes = source, hosts, max_bytes
        self._settings = settings
        texts = {key.get_secret_value() for key in secrets} - {""}
        self._secrets = texts | {quote(text, safe="") for text in texts}
        self._sleep = sleep
        self._client: httpx.Client | None = None

    def redact(self, text: str) -> str:
        """Return the text without any API key."""
        for secret in self._secrets:
            text = re.sub(re.escape(secret), REDACTED, text, flags=re.IGNORECASE)
        return text

    @contextmanager
    def connected(self) -> Iterator[None]:
        """Keep connections open within the block, and API keys out of the log."""
        redaction = _Redaction(self.redact)
        for name in _LOGGERS:
            logging.getLogger(name).addFilter(redaction)
        timeout = httpx.Timeout(
            self._settings.fetch_read_seconds, connect=self._settings.fetch_connect_seconds
        )
        try:
            with httpx.Client(
                timeout=timeout,
                follow_redirects=False,
                # Content-Length and ranges count bytes on the wire: no compression, so that they
                # match the file.
                headers={"Accept-Encoding": "identity", "User-Agent": "royalty-flow-warehouse"},
            ) as self._client:
                yield
        finally:
            self._client = None
            for name in _LOGGERS:
                logging.getLogger(name).removeFilter(redaction)

    def download(
        self,
        url: str,
        target: Path,
        kind: Kind,
        *,
        secret_params: Mapping[str, SecretStr] | None = None,
        secret_headers: Mapping[str, SecretStr] | None = None,
        known: Validators | None = None,
    ) -> DownloadResult:
        """Download to `target` and sync it to disk, or raise BadInput and leave nothing.

        secret_params: API keys as further URL parameters. secret_headers: API keys as headers,
        which are not sent to another host on a redirect. known: download only a newer version.
        """
        params, headers = secret_params or {}, secret_headers or {}
        download = _Download(self, url, target, kind, params, headers, known or Validators())
        retrying = Retrying(
            retry=retry_if_exception_type(_TransientError),
            stop=stop_after_attempt(self._settings.fetch_attempts),
            wait=_wait,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(download.attempt)
        except _TransientError as failure:
            raise self.problem(
                "a download that failed at every attempt",
                url,
                expected="the whole file",
                found=f"{failure.found} ({self._settings.fetch_attempts} attempts)",
                fix="fetch again later; if it persists, check the publisher's site",
                kind=TryLater,
            ) from None
        finally:
            download.part.unlink(missing_ok=True)

    def problem(
        self,
        what: str,
        url: str,
        *,
        expected: str,
        found: str,
        fix: str,
        kind: type[BadInput] = BadInput,
    ) -> BadInput:
        """Return the error for a URL, without API keys."""
        return kind(
            what,
            where=f"{self.source}: {self.redact(url)}",
            expected=expected,
            found=" ".join(self.redact(found).split()),
            fix=fix,
        )

    def check_host(self, url: httpx.URL, origin: httpx.URL) -> None:
        """Raise BadInput unless the URL has an allowed host and is no less secure than `origin`."""
        host = url.netloc.decode("ascii").lower()
        downgraded = origin.scheme == "https" and url.scheme != "https"
        disguised = url.userinfo not in (b"", origin.userinfo)  # https://other.host@host
        if host not in self.hosts or disguised or url.scheme not in ("http", "https") or downgraded:
            raise self.problem(
                "a link or redirect to another host",
                str(origin),
                expected=" or ".join(sorted(self.hosts)),
                found=f"{url.scheme}://{host}",
                fix="if the publisher has moved, add the host to the source's fetcher"
                " (dagster_project/fetching/publishers/)",
            )

    def check_address(self, response: httpx.Response) -> None:
        """Raise BadInput if a publisher's name has led to an address of this network.

        Checked on the open connection: what a name resolves to may change between two look-ups.
        A proxy looks names up by itself, and a mirror in the settings may be anywhere.
        """
        stream = response.extensions.get("network_stream")
        address = stream.get_extra_info("server_addr") if stream else None
        if address is None or getproxies() or self.source in self._settings.fetch_base_urls:
            return
        if not ip_address(str(address[0]).partition("%")[0]).is_global:
            raise self.problem(
                "a publisher's host with an address of this network",
                str(response.url),
                expected="a public address",
                found=str(address[0]),
                fix="check the machine's name server; a mirror of your own goes into"
                " ROYALTY_FETCH_BASE_URLS",
            )

    @property
    def client(self) -> httpx.Client:
        """The open client."""
        if self._client is None:
            raise RuntimeError("not connected")
        return self._client

    @property
    def total_seconds(self) -> float:
        """The time-out of one attempt."""
        return self._settings.fetch_total_seconds


class _Download:
    """The attempts at one file. Partial downloads are resumed if the server supports it."""

    def __init__(
        self,
        downloader: Downloader,
        url: str,
        target: Path,
        kind: Kind,
        secret_params: Mapping[str, SecretStr],
        secret_headers: Mapping[str, SecretStr],
        known: Validators,
    ) -> None:
        self._down, self._url, self._target, self._kind = downloader, url, target, kind
        self.part = target.with_name(f".{target.name}.part")
        self._known = known
        for key in (*secret_params.values(), *secret_headers.values()):
            if not re.fullmatch(r"[!-~]+", key.get_secret_value()):
                raise downloader.problem(
                    "an API key with unsupported characters",
                    url,
                    expected="letters, digits and signs, without spaces and line ends",
                    found="others",  # an error of the HTTP library would quote the key
                    fix="set the source's key again (docs/fetching.md)",
                )
        self._keys = {name: key.get_secret_value() for name, key in secret_headers.items()}
        self._strong_etag: str | None = None
        try:
            self._first = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise downloader.problem(
                "an invalid URL",
                url,
                expected="http:// or https://",
                found=str(error),
                fix="correct the address in the settings or in the source's fetcher",
            ) from None
        downloader.check_host(self._first, self._first)
        for name, secret in secret_params.items():
            self._first = self._first.copy_add_param(name, secret.get_secret_value())

    def attempt(self) -> DownloadResult:
        """Download once. Raises _TransientError, BadInput."""
        url = self._first
        try:
            for _ in range(MAX_REDIRECTS + 1):
                headers = self._headers()
                if url.netloc == self._first.netloc:
                    headers = {**headers, **self._keys}
                with self._down.client.stream("GET", url, headers=headers) as response:
                    self._down.check_address(response)
                    if response.has_redirect_location:
                        onward = url.join(response.headers["location"])
                        self._down.check_host(onward, url)
                        url = onward
                        continue
                    return self._handle_response(response)
        except httpx.TimeoutException as error:
            raise _TransientError(f"no answer in time ({type(error).__name__})") from None
        except httpx.InvalidURL as error:
            raise self._problem(
                "a redirect to an invalid address",
                expected="http:// or https://",
                found=str(error),
                fix="open the address in a browser; the publisher may have moved the file",
            ) from None
        except httpx.TransportError as error:
            if "CERTIFICATE_VERIFY_FAILED" in str(error):
                raise self._problem(
                    "a host whose certificate is not trusted",
                    expected="a valid certificate",
                    found=str(error),
                    fix="check the machine's clock and certificates, and the publisher's site",
                ) from None
            raise _TransientError(
                f"the connection broke ({type(error).__name__}: {error})"
            ) from None
        raise self._problem(
            "a redirect loop",
            expected=f"at most {MAX_REDIRECTS} redirects",
            found=f"{MAX_REDIRECTS + 1}",
            fix="open the address in a browser; the publisher may have moved the file",
        )

    def _headers(self) -> dict[str, str]:
        have = self.part.stat().st_size if self.part.exists() else 0
        if have and self._strong_etag:
            return {"Range": f"bytes={have}-", "If-Range": self._strong_etag}
        return self._known.headers

    def _handle_response(self, response: httpx.Response) -> DownloadResult:
        status = response.status_code
        validators = Validators(response.headers.get("etag"), response.headers.get("last-modified"))
        if status == httpx.codes.NOT_MODIFIED and self._known.headers:
            return DownloadResult(self._known, not_modified=True)
        resumed = status == httpx.codes.PARTIAL_CONTENT and self._fits(response)
        if status == httpx.codes.OK or resumed:
            self._receive(response, resumed)
            self._check_kind()
            os.replace(self.part, self._target)
            return DownloadResult(validators)
        if status in (408, 425, 429) or status >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise self._busy(response)
        if status in (httpx.codes.PARTIAL_CONTENT, httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE):
            self.part.unlink(missing_ok=True)
            self._strong_etag = None
            raise _TransientError(
                f"HTTP {status} that does not continue where the download was interrupted"
            )
        key = status in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
        raise self._problem(
            "the publisher does not serve this URL",
            expected="HTTP 200",
            found=f"HTTP {status} {response.reason_phrase}",
            fix="set the source's key (docs/fetching.md), or check whether access is restricted"
            if key
            else "open the address in a browser; if the publisher has moved the file, correct the"
            " source's fetcher (dagster_project/fetching/publishers/)",
        )

    def _busy(self, response: httpx.Response) -> Exception:
        """Return the error for an overloaded or failing server; permanent for a long pause."""
        found = f"HTTP {response.status_code} {response.reason_phrase}"
        asked = response.headers.get("retry-after", "").strip()
        moment = None if asked.isdecimal() else http_date(asked)
        if asked.isdecimal():
            pause: float | None = float(asked)
        elif moment:
            pause = max(0.0, (moment - system_clock()).total_seconds())
        else:
            pause = None
        if pause is not None and pause > MAX_WAIT_SECONDS:
            return self._down.problem(
                "a server that asks for a long pause",
                self._url,
                expected=f"an answer within {MAX_WAIT_SECONDS:.0f} seconds",
                found=f"{found}, Retry-After: {asked}",
                fix="fetch again after that time",
                kind=TryLater,
            )
        return _TransientError(found, pause)

    def _fits(self, response: httpx.Response) -> bool:
        """Whether a partial answer begins where the download was interrupted."""
        have = self.part.stat().st_size if self.part.exists() else 0
        return response.headers.get("content-range", "").startswith(f"bytes {have}-") and have > 0

    def _receive(self, response: httpx.Response, resumed: bool) -> None:
        """Append the body to the file, or write it from the beginning."""
        encoded = "content-encoding" in response.headers
        etag = response.headers.get("etag", "")
        ranges = response.headers.get("accept-ranges", "") == "bytes" or resumed
        self._strong_etag = (
            etag if etag.startswith('"') and ranges and not encoded else None
        )  # a weak one (W/"…") does not guarantee identical bytes
        announced = response.headers.get("content-length", "")
        length = int(announced) if announced.isdecimal() else None
        deadline = time.monotonic() + self._down.total_seconds
        with self.part.open("ab" if resumed else "wb") as file:
            size = file.tell()
            if length is not None and size + length > self._down.max_bytes:
                raise self._too_large(size + length)
            # Chunk by chunk: buffered into larger ones, the last would be lost on an interruption.
            for chunk in response.iter_bytes():
                size += len(chunk)
                if size > self._down.max_bytes:
                    raise self._too_large(size)
                file.write(chunk)
                if time.monotonic() > deadline:
                    raise _TransientError(f"not complete in {self._down.total_seconds:.0f} seconds")
            file.flush()
            os.fsync(file.fileno())
        # A body shorter than its Content-Length never gets here: httpx raises a transport error.
        if size == 0:
            raise _TransientError("an empty response")
        # A proxy may return a shorter range than requested, with correct headers.
        whole = response.headers.get("content-range", "").rpartition("/")[2]
        if resumed and whole.isdecimal() and size < int(whole):
            raise _TransientError(f"truncated at byte {size:,} of {int(whole):,}")

    def _too_large(self, size: int) -> BadInput:
        return self._problem(
            "a file that is too large",
            expected=f"at most {self._down.max_bytes:,} bytes",
            found=f"{size:,} bytes or more",
            fix="check the URL in a browser; if the file is right, raise `max_bytes` of the"
            " source's fetcher",
        )

    def _check_kind(self) -> None:
        with self.part.open("rb") as file:
            start = file.read(512).lstrip(b"\xef\xbb\xbf \r\n\t")
        wrong_start = not start.startswith(_STARTS.get(self._kind, (b"",)))
        web_page = self._kind != "page" and start.lower().startswith(_WEB_PAGE)
        if wrong_start or web_page:
            raise self._problem(
                f"{'a web page' if web_page else 'something else'} instead of the expected file",
                expected={"csv": "CSV", "json": "JSON", "page": "HTML"}.get(
                    self._kind, f"a {self._kind}"
                ),
                found=repr(start[:60].decode("utf-8", "replace")),
                fix="open the address in a browser: the publisher may be down for maintenance, or"
                " have moved the file",
            )

    def _problem(self, what: str, *, expected: str, found: str, fix: str) -> BadInput:
        return self._down.problem(what, self._url, expected=expected, found=found, fix=fix)


_BACK_OFF = wait_exponential_jitter(initial=1, max=60, jitter=1)


def _wait(state: RetryCallState) -> float:
    """Return the seconds until the next attempt: the server's Retry-After, if it sends one."""
    failure = state.outcome.exception() if state.outcome else None
    if isinstance(failure, _TransientError) and failure.retry_after is not None:
        return failure.retry_after
    return _BACK_OFF(state)
