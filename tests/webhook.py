"""A real server that takes alerts, on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Received:
    """What has arrived.

    Attributes:
        url: The server's address; its path is a secret, as of many webhooks.
        keys: The key of each request, in the order of their arrival.
        alerts: What each of them brought.
    """

    url: str
    keys: list[str] = field(default_factory=list)
    alerts: list[dict[str, Any]] = field(default_factory=list)


@contextmanager
def listening() -> Iterator[Received]:
    """A server that takes whatever is sent to it, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.keys.append(self.headers["Idempotency-Key"])
            received.alerts.append(json.loads(body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    received = Received(f"http://127.0.0.1:{server.server_address[1]}/h00k-secret")
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield received
    finally:
        server.shutdown()
        server.server_close()
