"""Send the alerts of a build to a webhook, each once.

The address and its token come from the environment and go nowhere else: neither into a message nor
into a log. What was sent is a table of the project, so that no other machine sends it again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.util.retry import Retry

from customer_insights.dbt_calls import Dbt
from customer_insights.errors import CustomerInsightsError

URL, TOKEN = "ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_TOKEN"
TIMEOUT_SECONDS = 10.0
RETRIES = 3
# Seconds before the second attempt; each further one waits twice as long.
BACKOFF_SECONDS = 0.5
LONGEST_WAIT_SECONDS = 60
# Who is busy or broken may be well again a moment later; any other refusal stays one.
WORTH_ANOTHER_TRY = (429, 500, 502, 503, 504)
COLUMNS = (
    "alert_id",
    "severity",
    "kind",
    "subject",
    "model_name",
    "value",
    "threshold",
    "message",
    "window_end_on",
    "evidence",
    "remedy",
    "page",
)

Alert = Mapping[str, Any]


class _Bearer(requests.auth.AuthBase):
    """The token, where there is one. Given for every request: else requests looks into .netrc."""

    def __init__(self, token: str) -> None:
        self._token = token

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        """Add the token to a request."""
        if self._token:
            request.headers["Authorization"] = f"Bearer {self._token}"
        return request


class Webhook:
    """An address that takes alerts.

    Args:
        url: its address, http or https.
        token: what it asks for as a bearer token; empty where it asks for none.
        timeout: seconds to wait for a connection, and for an answer.
        backoff: seconds before the second attempt, doubled before each further one.

    Raises:
        CustomerInsightsError: it is no address.

    """

    def __init__(
        self,
        url: str,
        token: str = "",
        *,
        timeout: float = TIMEOUT_SECONDS,
        backoff: float = BACKOFF_SECONDS,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise CustomerInsightsError(
                f"{URL} is not an address like https://example.org/hook; correct it."
            )
        # urllib3 says at each retry which path it asks for: the secret of many webhooks.
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)
        self._url = url
        self._auth = _Bearer(token)
        self._timeout = timeout
        self._session = requests.Session()
        # POST is no method that urllib3 repeats by itself. Here it may: the key tells a repetition.
        retry = Retry(
            total=RETRIES,
            backoff_factor=backoff,
            status_forcelist=WORTH_ANOTHER_TRY,
            allowed_methods=frozenset({"POST"}),
            raise_on_status=False,
            retry_after_max=LONGEST_WAIT_SECONDS,
        )
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=retry))

    def send(self, alert: Alert) -> None:
        """Post one alert as JSON, with its id as the key of the request.

        Raises:
            CustomerInsightsError: it did not arrive; without the address.

        """
        try:
            answer = self._session.post(
                self._url,
                json=body(alert),
                headers={"Idempotency-Key": str(alert["alert_id"])},
                auth=self._auth,
                timeout=self._timeout,
                # Elsewhere nobody was meant to read it, nor to see the token.
                allow_redirects=False,
            )
        # The words of the exception hold the address.
        except (requests.RequestException, ValueError) as error:
            why = (
                "does not answer in time"
                if isinstance(error, requests.Timeout) or "Timeout" in str(error)
                else "cannot be reached"
            )
            raise CustomerInsightsError(
                f"The address in {URL} {why}; check it and the network. Alerts that are left are "
                "sent by the next call."
            ) from None
        if not answer.ok or answer.is_redirect:
            raise CustomerInsightsError(refusal(answer.status_code))


def body(alert: Alert) -> dict[str, Any]:
    """An alert as JSON: its columns, and `text` for chats that show no more than that."""
    columns = {name: alert.get(name) for name in COLUMNS}
    day = columns["window_end_on"]
    columns["window_end_on"] = None if day is None else str(day)
    return columns | {
        "text": f"{alert['severity']}: {alert['message']} {alert.get('remedy') or ''}"
    }


def refusal(status: int) -> str:
    """The sentence for an answer that is none of success."""
    if status in (401, 403):
        what = f"does not let us in; check {TOKEN}"
    elif status in (404, 410):
        what = "does not know the hook; correct it"
    elif status in WORTH_ANOTHER_TRY:
        what = "is out of order or busy; try again later"
    elif 300 <= status < 400:
        what = "points elsewhere; give the address that it points to"
    else:
        what = "does not take alerts as we send them (docs/monitoring says how)"
    return f"The address in {URL} answers {status}: it {what}. Alerts that are left are sent later."


def unsent(alerts: str, internal: str) -> str:
    """The query for alerts that were not sent yet.

    No view: what depends on `alerts` is not built where a severe alert fails its test.

    Args:
        alerts: the relation of the alerts, as SQL.
        internal: any relation of the schema that has the table of what was sent.

    """
    sent = f"{internal.rpartition('.')[0]}.sent_alerts"
    return (
        f"select found.* from {alerts} as found "  # noqa: S608  (our own names)
        f"left join {sent} as sent on found.alert_id = sent.alert_id where sent.alert_id is null"
    )


def send_new(alerts: Iterable[Alert], webhook: Webhook, record: Callable[[str], None]) -> int:
    """Send alerts in order, note each once it has arrived, and count them.

    Raises:
        CustomerInsightsError: one did not arrive; those before it are noted.

    """
    count = 0
    for alert in sorted(alerts, key=lambda each: str(each["alert_id"])):
        webhook.send(alert)
        record(str(alert["alert_id"]))
        count += 1
    return count


def notify(environment: Mapping[str, str]) -> int:
    """Send what was not sent yet.

    Raises:
        CustomerInsightsError: there is no address, nothing is built, or an alert did not arrive.

    """
    url = environment.get(URL, "")
    if not url:
        raise CustomerInsightsError(f"There is nowhere to send alerts to; set {URL}.")
    webhook = Webhook(url, environment.get(TOKEN, ""))
    dbt = Dbt()

    def record(alert_id: str) -> None:
        is_done, said = dbt.operation("record_sent_alert", alert_id=alert_id)
        if not is_done:
            raise CustomerInsightsError(f"An alert was sent and could not be noted: {said}")

    try:
        alerts = dbt.query(unsent(dbt.relation("alerts"), dbt.relation("run_context")))
    except CustomerInsightsError as error:
        raise CustomerInsightsError(
            f"There are no alerts to read; build first. ({error})"
        ) from None
    count = send_new(alerts, webhook, record)
    print(f"{count} alerts sent." if count else "No new alerts.")
    return 0
