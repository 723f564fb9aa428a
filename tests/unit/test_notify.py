"""Alerts arrive once, at a real server, and secrets stay where they are."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from customer_insights.errors import CustomerInsightsError
from customer_insights.notify import Webhook, notify, send_new

SECRET = "s3cr3t-token"
PATH = "/services/p4th-secret"
ALERT = {
    "alert_id": "0" * 31 + "a",
    "severity": "warning",
    "kind": "data_volume",
    "subject": "orders",
    "model_name": None,
    "value": 20.0,
    "threshold": 50.0,
    "message": "orders: 20 rows, fewer than 50.",
    "window_end_on": date(2024, 5, 1),
    "evidence": "data_quality",
    "remedy": "Look.",
    "page": "docs/monitoring/data_volume.md",
}
OTHER = ALERT | {"alert_id": "0" * 31 + "b"}


@dataclass
class Hook:
    """A server that answers as it is told and remembers what it was asked."""

    port: int = 0
    answers: list[int] = field(default_factory=list)
    delay: float = 0.0
    location: str = ""
    requests: list[tuple[dict[str, str], dict[str, Any]]] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{PATH}"

    def webhook(self, token: str = SECRET, timeout: float = 5.0) -> Webhook:
        return Webhook(self.url, token, timeout=timeout, backoff=0.01)


@pytest.fixture
def hook() -> Iterator[Hook]:
    told = Hook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            told.requests.append((dict(self.headers), json.loads(raw)))
            time.sleep(told.delay)
            self.send_response(told.answers.pop(0) if told.answers else 200)
            if told.location:
                self.send_header("Location", told.location)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    told.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    yield told
    server.shutdown()
    server.server_close()


def test_an_alert_arrives_with_its_columns_its_key_and_the_token(hook: Hook) -> None:
    hook.webhook().send(ALERT)
    ((headers, sent),) = hook.requests
    assert headers["Idempotency-Key"] == ALERT["alert_id"]
    assert headers["Authorization"] == f"Bearer {SECRET}"
    assert headers["Content-Type"] == "application/json"
    assert sent["window_end_on"] == "2024-05-01"
    assert sent["value"] == 20.0
    assert sent["text"] == "warning: orders: 20 rows, fewer than 50. Look."
    assert set(ALERT) | {"text"} == set(sent)


def test_without_a_token_nothing_is_claimed(
    hook: Hook, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    hook.webhook(token="").send(ALERT)
    assert "Authorization" not in hook.requests[0][0]


@pytest.mark.parametrize("status", [429, 500, 503])
def test_who_is_busy_or_broken_is_asked_again(hook: Hook, status: int) -> None:
    hook.answers = [status, status]
    noted: list[str] = []
    assert send_new([ALERT], hook.webhook(), noted.append) == 1
    assert len(hook.requests) == 3
    # The same key each time: who took the first knows the others.
    assert {headers["Idempotency-Key"] for headers, _ in hook.requests} == {ALERT["alert_id"]}
    assert noted == [ALERT["alert_id"]]


def test_what_stays_broken_is_said_and_not_noted(hook: Hook) -> None:
    hook.answers = [500] * 10
    noted: list[str] = []
    with pytest.raises(CustomerInsightsError, match="answers 500: it is out of order"):
        send_new([ALERT], hook.webhook(), noted.append)
    assert len(hook.requests) == 4
    assert noted == []


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "does not take alerts"),
        (401, "check ALERT_WEBHOOK_TOKEN"),
        (404, "does not know the hook"),
    ],
)
def test_a_refusal_is_a_sentence_at_once(hook: Hook, status: int, words: str) -> None:
    hook.answers = [status]
    with pytest.raises(CustomerInsightsError, match=words):
        hook.webhook().send(ALERT)
    assert len(hook.requests) == 1


def test_nobody_is_followed_elsewhere(hook: Hook) -> None:
    hook.answers, hook.location = [307], hook.url + "/elsewhere"
    with pytest.raises(CustomerInsightsError, match="points elsewhere"):
        hook.webhook().send(ALERT)
    assert len(hook.requests) == 1


def test_who_does_not_answer_is_not_waited_for(hook: Hook) -> None:
    hook.delay = 0.5
    started = time.monotonic()
    with pytest.raises(CustomerInsightsError, match="does not answer in time"):
        hook.webhook(timeout=0.05).send(ALERT)
    assert time.monotonic() - started < 3
    assert len(hook.requests) == 4


def test_what_arrived_before_a_failure_is_noted_and_not_sent_again(hook: Hook) -> None:
    hook.answers = [200, 400]
    noted: list[str] = []
    with pytest.raises(CustomerInsightsError):
        send_new([OTHER, ALERT], hook.webhook(), noted.append)
    assert noted == [ALERT["alert_id"]]
    left = [alert for alert in (ALERT, OTHER) if alert["alert_id"] not in noted]
    assert send_new(left, hook.webhook(), noted.append) == 1
    keys = [headers["Idempotency-Key"] for headers, _ in hook.requests]
    assert keys == [ALERT["alert_id"], OTHER["alert_id"], OTHER["alert_id"]]


def test_secrets_are_in_no_output(
    hook: Hook, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(0)
    said = []
    hook.answers = [500, 403]
    for port in (hook.port, 1):
        hook.port = port
        with pytest.raises(CustomerInsightsError) as caught:
            hook.webhook().send(ALERT)
        said.append(str(caught.value))
    out, err = capfd.readouterr()
    for text in (*said, out, err, caplog.text):
        assert SECRET not in text
        assert PATH not in text


@pytest.mark.parametrize("url", ["hooks.example.org/x", "ftp://example.org", "https:///x"])
def test_what_is_no_address_is_refused_without_showing_it(url: str) -> None:
    with pytest.raises(CustomerInsightsError, match="is not an address") as caught:
        Webhook(url)
    assert url not in str(caught.value)


def test_without_an_address_there_is_a_sentence() -> None:
    with pytest.raises(CustomerInsightsError, match="set ALERT_WEBHOOK_URL"):
        notify({})
