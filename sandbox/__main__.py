"""`python -m sandbox`: starts the sandbox and stops it at a signal."""

import argparse
import ipaddress
import signal
import threading
from pathlib import Path
from urllib.parse import urlsplit

from sandbox.application import Application, Settings
from sandbox.server import Server


def main(arguments: list[str] | None = None) -> None:
    """Serve until SIGTERM or SIGINT."""
    chosen = _parser().parse_args(arguments)
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    server = _bound(chosen.port)
    settings = Settings(
        folder=chosen.data_dir,
        webhook_url=chosen.webhook_url,
        webhook_secret=chosen.webhook_secret,
        secret_key=chosen.secret_key,
        settle_seconds=chosen.settle_seconds,
    )
    application = Application(settings, server.url)
    run(server, application, over)


def run(server: Server, application: Application, over: threading.Event) -> None:
    """Serve until `over` is set, then stop in order."""
    server.answers = application.answer
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    application.start()
    thread.start()
    print(f"sandbox listening on {server.url}", flush=True)
    over.wait()
    server.shutdown()
    thread.join()
    server.server_close()
    application.stop()


def _bound(port: int) -> Server:
    try:
        return Server(port)
    except OSError as error:
        raise SystemExit(f"sandbox: cannot listen on port {port}: {error.strerror}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox", description=__doc__)
    parser.add_argument("--port", type=int, default=8011, help="0 takes a free one")
    parser.add_argument("--data-dir", type=Path, required=True)
    parser.add_argument("--webhook-url", type=_loopback_url, required=True)
    parser.add_argument("--webhook-secret", required=True)
    parser.add_argument("--secret-key", required=True)
    parser.add_argument("--settle-seconds", type=float, default=0.2)
    return parser


def _loopback_url(text: str) -> str:
    """Return the URL when it leads to this machine: events go nowhere else."""
    url = urlsplit(text)
    host = url.hostname or ""
    if url.scheme != "http" or not (host == "localhost" or _is_loopback(host)):
        raise argparse.ArgumentTypeError(f"not an http URL of this machine: {text}")
    return text


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


if __name__ == "__main__":
    main()
