"""A site on loopback as verifiers meet it: pages under the strict policy, scripts, the API."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

STATIC = Path(__file__).parent.parent.parent / "static"
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; worker-src 'self'"
)
PUBLIC = "/v1/public/organisations/lantern-house"
CONTENT_TYPES = {".js": "text/javascript", ".json": "application/json"}


class Site:
    """What is served: `files` by path; a list is served one item a request, the last for ever."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.files: dict[str, bytes | list[bytes]] = {}
        self.asked: list[str] = []

    def publish(self, export: bytes, *heads: object, balances: object = None) -> None:
        self.files[f"{PUBLIC}/ledger/export"] = export
        self.files[f"{PUBLIC}/ledger/head"] = [json.dumps(head).encode() for head in heads]
        self.files[f"{PUBLIC}/balances"] = json.dumps(balances).encode()

    def content_of(self, path: str) -> bytes | None:
        self.asked.append(path)
        if path.startswith("/static/"):
            file = STATIC / path.removeprefix("/static/")
            return file.read_bytes() if file.is_file() else None
        content = self.files.get(path)
        if isinstance(content, list):
            return content.pop(0) if len(content) > 1 else content[0]
        return content


def handler_for(site: Site) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path, query = urlsplit(self.path).path, parse_qs(urlsplit(self.path).query)
            content = site.content_of(path)
            if content and "from_sequence" in query:
                site.asked[-1] = f"{path} from {query['from_sequence'][0]}"
                content = b"".join(content.splitlines(True)[int(query["from_sequence"][0]) :])
            self.send_response(404 if content is None else 200)
            content_type = CONTENT_TYPES.get(Path(path).suffix, "text/html; charset=utf-8")
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Security-Policy", POLICY)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def served() -> Iterator[Site]:
    site = Site("")
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler_for(site))
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
