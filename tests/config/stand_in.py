"""Stands in for manage.py and the web server: `python -m tests.config.stand_in NAME …`."""

import json
import os
import signal
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

DATA_DIR = Path(os.environ["DATA_DIR"])
DEMO = {
    "staff": {"email": "staff@almoner.example", "password": "of-staff"},
    "organisations": [
        {"slug": "lantern", "owner": {"email": "lin@lantern.example", "password": "of-lin"}}
    ],
}


class Ready(BaseHTTPRequestHandler):
    """Answers 503 the first time, then 200 to whoever knows our host name."""

    asked = 0

    def do_GET(self):
        Ready.asked += 1
        good = Ready.asked > 1 and self.headers["Host"] == os.environ["EXPECTED_HOST"]
        self.send_response(200 if good else 503)
        self.end_headers()

    def log_message(self, *arguments):
        """Keep quiet."""


def main(name, *arguments):
    """Do what the program of that name does, or what the test asks of it."""
    with (DATA_DIR / "calls").open("a") as calls:
        calls.write(f"{name} {' '.join(arguments)}\n")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if name in os.environ.get("FAILING", "").split(","):
        sys.exit(f"{name} has a bad day")
    if name == "seed_demo":
        (DATA_DIR / "demo.json").write_text(json.dumps(DEMO))
    if name == "witness":
        server = HTTPServer(("127.0.0.1", int(arguments[-1])), Ready)
        url = f"http://127.0.0.1:{server.server_port}/add-checkpoint"
        sys.stdout.write(f"witness.demo+00000000+AAAA\n{url}\n")
        sys.stdout.flush()
        server.serve_forever()
    if name == "web":
        host, port = arguments[1], int(arguments[3])
        HTTPServer((host, port), Ready).serve_forever()
    while name == "worker" or name in os.environ.get("ENDLESS", "").split(","):
        time.sleep(0.1)


if __name__ == "__main__":
    main(*sys.argv[1:])
