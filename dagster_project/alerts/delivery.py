"""Sending a message: to a webhook, by mail, or both. What is secret reaches no log and no error."""

import html
import json
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.request import HTTPRedirectHandler, Request, build_opener

from tenacity import Retrying, retry_if_exception_type, stop_after_delay, wait_exponential_jitter

from dagster_project.alerts.message import Message
from dagster_project.base.settings import Settings

_TIMEOUT_SECONDS = 5
_TOO_MANY_REQUESTS = 429
_SERVER_ERROR = 500
_MAIL_CAN_HEAL = range(400, 500)  # RFC 5321: a transient negative answer
_PORTS = {"none": 25, "starttls": 587, "tls": 465}


class NotSent(Exception):
    """A message did not reach an address; the text says which and why, and holds no secret."""


class _CanHealError(NotSent):
    """It may go through when it is tried again."""


def has_address(settings: Settings) -> bool:
    """Whether there is anyone to tell."""
    return bool(settings.notify_webhook or settings.notify_email)


def send(settings: Settings, message: Message) -> None:
    """Send a message to every address, each tried for `notify_seconds`.

    One that fails keeps it from no other. Raises NotSent if any has failed.
    """
    channels: list[Callable[[Settings, Message], None]] = []
    if settings.notify_webhook:
        channels.append(_post)
    if settings.notify_email:
        channels.append(_mail)
    problems = []
    for channel in channels:
        tries = Retrying(
            retry=retry_if_exception_type(_CanHealError),
            stop=stop_after_delay(settings.notify_seconds),
            wait=wait_exponential_jitter(multiplier=0.3, max=5),
            reraise=True,
        )
        try:
            tries(channel, settings, message)
        except NotSent as problem:
            problems.append(str(problem))
    if problems:
        raise NotSent("; ".join(problems))


class _NoRedirect(HTTPRedirectHandler):
    """A redirected POST would arrive as a GET without the message."""

    def redirect_request(self, *_: Any) -> None:
        """Follow nothing: the answer is an error then."""


def _post(settings: Settings, message: Message) -> None:
    """POST the message as JSON; `text` is what Slack, Mattermost and the like show.

    Not with httpx, which logs the address, and who knows the address can post.
    """
    if settings.notify_webhook is None:
        return
    url = settings.notify_webhook.get_secret_value()
    if not url.startswith(("https://", "http://")):
        raise NotSent("webhook: ROYALTY_NOTIFY_WEBHOOK is no http:// or https:// address")
    # https://api.slack.com/reference/surfaces/formatting#escaping
    text = html.escape(f"{message.subject}\n\n{message.text}", quote=False)
    body = json.dumps({"text": text, "subject": message.subject, **message.fields})
    try:
        request = Request(url, body.encode(), {"Content-Type": "application/json"})
        with build_opener(_NoRedirect).open(request, timeout=_TIMEOUT_SECONDS):
            return
    except HTTPError as error:
        error.close()
        can_heal = error.code == _TOO_MANY_REQUESTS or error.code >= _SERVER_ERROR
        raise (_CanHealError if can_heal else NotSent)(f"webhook: HTTP {error.code}") from None
    except URLError as error:
        raise _CanHealError(f"webhook: {error.reason}") from None
    except (OSError, HTTPException, ValueError) as error:  # their texts may hold the address
        raise _CanHealError(f"webhook: {type(error).__name__}") from None


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
        can_heal = error.smtp_code in _MAIL_CAN_HEAL
        raise (_CanHealError if can_heal else NotSent)(
            f"{where}: {type(error).__name__} {error.smtp_code}"
        ) from None
    except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, ssl.SSLError) as error:
        raise NotSent(f"{where}: {type(error).__name__}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise _CanHealError(f"{where}: {type(error).__name__}") from None
    if refused:
        raise NotSent(f"{where}: refused for {', '.join(refused)}")


def _smtp(settings: Settings, port: int) -> smtplib.SMTP:
    if settings.smtp_security == "tls":
        return smtplib.SMTP_SSL(
            settings.smtp_host,
            port,
            timeout=_TIMEOUT_SECONDS,
            context=ssl.create_default_context(),
        )
    return smtplib.SMTP(settings.smtp_host, port, timeout=_TIMEOUT_SECONDS)
