"""Sending an alert to a webhook and a mail server, working and failing."""

import logging
from typing import Any

import pytest
from pydantic import SecretStr

from dagster_project.alerts.delivery import NotSent, has_address, send
from dagster_project.alerts.message import Message
from dagster_project.base.settings import Settings
from tests.alerts.receivers import PASSWORD, SECRET, mail_server, webhook

MESSAGE = Message("royalty flows: FAILED x", "FAILED x\nexpected: <a> & b", {"publication": "1"})


def settings(**given: Any) -> Settings:
    return Settings(notify_seconds=0.5, **given)


def by_mail(port: int, **given: Any) -> Settings:
    given = {"notify_email": "night@example.org, day@example.org", **given}
    return settings(smtp_host="127.0.0.1", smtp_port=port, smtp_security="none", **given)


def test_no_alert_destination_is_not_an_error() -> None:
    assert not has_address(Settings())
    send(Settings(), MESSAGE)


def test_a_webhook_gets_text_for_people_and_fields_for_programs() -> None:
    with webhook() as hook:
        send(settings(notify_webhook=SecretStr(hook.url)), MESSAGE)
    assert hook.received == [
        {
            "text": "royalty flows: FAILED x\n\nFAILED x\nexpected: &lt;a&gt; &amp; b",
            "subject": "royalty flows: FAILED x",
            "publication": "1",
        }
    ]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_temporary_failures_are_retried_and_the_alert_arrives_once(status: int) -> None:
    with webhook(status) as hook:
        send(
            settings(notify_webhook=SecretStr(hook.url)).model_copy(update={"notify_seconds": 5}),
            MESSAGE,
        )
    assert (hook.requests, len(hook.received)) == (2, 1)


@pytest.mark.parametrize("status", [302, 400, 404, 410])
def test_permanent_failures_are_reported_at_once(status: int) -> None:
    with webhook(status) as hook, pytest.raises(NotSent, match=f"webhook: HTTP {status}"):
        send(settings(notify_webhook=SecretStr(hook.url)), MESSAGE)
    assert (hook.requests, hook.received) == (1, [])


def test_a_webhook_that_is_down_is_given_up_in_time_and_reported() -> None:
    with webhook() as hook:
        url = hook.url
    with pytest.raises(NotSent, match="Connection refused"):
        send(settings(notify_webhook=SecretStr(url)), MESSAGE)


@pytest.mark.parametrize(
    "url",
    [
        f"hooks.example.org/{SECRET}",
        f"file:///{SECRET}",
        f"http://127.0.0.1:1/{SECRET}\n",
        f"http://[{SECRET}/",
        f"http://127.0.0.1:{SECRET}/",
        f"http://127.0.0.1:1/{SECRET}",
        f"http://user:{SECRET}@127.0.0.1:1/",
    ],
)
def test_the_address_of_a_webhook_is_in_no_error_and_no_log(
    url: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG), pytest.raises(NotSent) as caught:
        send(settings(notify_webhook=SecretStr(url)), MESSAGE)
    assert SECRET not in caplog.text + repr(caught.value) + repr(settings(notify_webhook=url))
    assert caught.value.__cause__ is None


def test_mail_reaches_everyone_with_subject_text_and_date() -> None:
    with mail_server() as box:
        send(by_mail(box.port, notify_from="warehouse@example.org"), MESSAGE)
    (mail,) = box.received
    assert box.recipients == ["night@example.org", "day@example.org"]
    assert (mail["Subject"], mail["From"]) == (MESSAGE.subject, "warehouse@example.org")
    assert mail["Date"]
    assert mail.get_content().splitlines() == MESSAGE.text.splitlines()
    assert box.password is None


def test_only_the_mail_server_gets_the_password(
    caplog: pytest.LogCaptureFixture,
) -> None:
    user = {"smtp_user": "warehouse", "smtp_password": SecretStr(PASSWORD)}
    with mail_server() as box, caplog.at_level(logging.DEBUG, "dagster_project"):
        send(by_mail(box.port, **user), MESSAGE)
    assert box.password == PASSWORD
    wrong = {**user, "smtp_password": SecretStr("no" + PASSWORD)}
    with (
        mail_server() as box,
        pytest.raises(NotSent, match="SMTPAuthenticationError 535") as caught,
    ):
        send(by_mail(box.port, **wrong), MESSAGE)
    assert box.received == []
    assert PASSWORD not in repr(caught.value) + repr(by_mail(1, **user)) + caplog.text


def test_a_busy_mail_server_is_retried() -> None:
    with mail_server("451 try later") as box:
        send(by_mail(box.port).model_copy(update={"notify_seconds": 5}), MESSAGE)
    assert len(box.received) == 1


def test_a_refusing_mail_server_is_not_retried() -> None:
    with mail_server("554 no", "554 no") as box, pytest.raises(NotSent, match="554"):
        send(by_mail(box.port), MESSAGE)
    assert len(box.answers) == 1


def test_a_password_is_not_sent_when_requested_encryption_is_missing() -> None:
    user = {"smtp_user": "warehouse", "smtp_password": SecretStr(PASSWORD)}
    with mail_server() as box, pytest.raises(NotSent, match="SMTPNotSupportedError"):
        send(by_mail(box.port, **user).model_copy(update={"smtp_security": "starttls"}), MESSAGE)
    assert (box.password, box.received) == (None, [])


def test_one_address_that_fails_keeps_it_from_no_other() -> None:
    with webhook(404) as hook, mail_server() as box, pytest.raises(NotSent, match="webhook"):
        send(by_mail(box.port, notify_webhook=SecretStr(hook.url)), MESSAGE)
    assert len(box.received) == 1
