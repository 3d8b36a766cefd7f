"""Sends alerts to a webhook, by mail, or both. No secret reaches a log or an error message."""

import html
import logging
import re
import smtplib
import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

import httpx
from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from dagster_project.alerts.message import Alert, Message, message
from dagster_project.base.logs import say
from dagster_project.base.settings import Settings

_TIMEOUT_SECONDS = 5
_TRANSIENT_SMTP_CODES = range(400, 500)  # RFC 5321: a transient negative answer
_HTTPX_LOG = logging.getLogger("httpx")
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class NotSent(Exception):
    """A message did not reach a destination; the text says which and why, without any secret."""


class _TransientError(NotSent):
    """A failure that a retry may resolve."""


def has_address(settings: Settings) -> bool:
    """Whether alerts have a destination."""
    return bool(settings.notify_webhook or settings.notify_email)


def send(settings: Settings, alert: Message) -> None:
    """Send a message to every destination; each is retried for `notify_seconds`.

    A failure of one does not stop the other. Raises NotSent if any failed.
    """
    problems = []
    for address, channel in ((settings.notify_webhook, _post), (settings.notify_email, _mail)):
        tries = Retrying(
            retry=retry_if_exception_type(_TransientError),
            stop=stop_after_delay(settings.notify_seconds),
            wait=wait_exponential_jitter(multiplier=0.3, max=5),
            reraise=True,
        )
        try:
            if address:
                tries(channel, settings, alert)
        except NotSent as problem:
            problems.append(str(problem))
    if problems:
        raise NotSent("; ".join(problems))


def send_alert(settings: Settings, failures: Sequence[Alert]) -> None:
    """Send one alert about failures, if there is a destination; say so if it cannot be sent."""
    if has_address(settings):
        try:
            send(settings, message(settings, failures))
        except NotSent as problem:
            say(f"ALERT NOT SENT: {problem}", "ERROR")


def _post(settings: Settings, message: Message) -> None:
    """POST the message as JSON; Slack, Mattermost and similar tools show `text`.

    The URL is a secret (anyone who knows it can post), so it must not appear in httpx's log or in
    an error message. Redirects are not followed: they would become a GET without the message.
    """
    if settings.notify_webhook is None:
        return
    url = settings.notify_webhook.get_secret_value()
    # https://api.slack.com/reference/surfaces/formatting#escaping
    text = html.escape(f"{message.subject}\n\n{message.text}", quote=False)
    # Mattermost reads Markdown: no links with another text, no code, no `@all`.
    text = re.sub(r"[\[\]`]", r"\\\g<0>", text)
    text = re.sub(r"@(?=all|channel|here|everyone)", "(at) ", text)
    body = {"text": text, "subject": message.subject, **message.fields}
    _HTTPX_LOG.addFilter(_drop)
    try:
        status = httpx.post(url, json=body, timeout=_TIMEOUT_SECONDS).status_code
    except (httpx.UnsupportedProtocol, httpx.InvalidURL, ValueError):
        raise NotSent("webhook: ROYALTY_NOTIFY_WEBHOOK is not an http:// or https:// URL") from None
    except httpx.ConnectError as error:  # whose text is the operating system's
        raise _TransientError(f"webhook: {error}") from None
    except httpx.HTTPError as error:
        raise _TransientError(f"webhook: {type(error).__name__}") from None
    finally:
        _HTTPX_LOG.removeFilter(_drop)
    if status == httpx.codes.TOO_MANY_REQUESTS or httpx.codes.is_server_error(status):
        raise _TransientError(f"webhook: HTTP {status}")
    if not httpx.codes.is_success(status):
        raise NotSent(f"webhook: HTTP {status}")


def _drop(_: logging.LogRecord) -> bool:
    return False


def _mail(settings: Settings, message: Message) -> None:
    mail = EmailMessage()
    mail["Subject"] = message.subject
    mail["From"] = settings.notify_from
    mail["To"] = settings.notify_email
    mail["Date"], mail["Message-ID"] = formatdate(), make_msgid(domain="royalty-flows")
    mail.set_content(message.text)
    port = settings.smtp_port or _PORTS[settings.smtp_security]
    where = f"mail through {settings.smtp_host}:{port}"
    try:
        with _smtp(settings, port) as server:
            if settings.smtp_security == "starttls":
                server.starttls(context=ssl.create_default_context())
            if settings.smtp_user and settings.smtp_password:
                server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
            refused = server.send_message(mail)
    except smtplib.SMTPResponseException as error:
        can_heal = error.smtp_code in _TRANSIENT_SMTP_CODES
        raise (_TransientError if can_heal else NotSent)(
            f"{where}: {type(error).__name__} {error.smtp_code}"
        ) from None
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise NotSent(f"{where}: {type(error).__name__}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise _TransientError(f"{where}: {type(error).__name__}") from None
    if refused:
        raise NotSent(f"{where}: refused for {', '.join(refused)}")


def _smtp(settings: Settings, port: int) -> smtplib.SMTP:
    if settings.smtp_security != "tls":
        return smtplib.SMTP(settings.smtp_host, port, timeout=_TIMEOUT_SECONDS)
    context = ssl.create_default_context()
    return smtplib.SMTP_SSL(settings.smtp_host, port, timeout=_TIMEOUT_SECONDS, context=context)
