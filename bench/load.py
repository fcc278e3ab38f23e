"""
The load generator: a program of its own, so that its work is not the server's.

It reads one JSON object from stdin: the port, the number of keep-alive connections, the requests,
the secret that signs bodies as Stripe does, and how many a second are sent at most (0: no limit).
All requests are made up before the clock starts; then each connection sends its next one when it
has its answer. It prints what came of them.
"""

import asyncio
import hashlib
import hmac
import json
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from bench.programs import ROOT
from config.surroundings import LOOPBACK

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)\r\n", re.IGNORECASE)
OK = "200"


class Request(NamedTuple):
    """One request, before it is written down; a body is signed unless `headers` are given."""

    path: str
    body: str = ""
    headers: Mapping[str, str] = {}


class Result(NamedTuple):
    """The seconds of all requests together, and of each one in their order; what they came to."""

    seconds: float
    each: list[float]
    statuses: Mapping[str, int]


class LoadFailed(Exception):
    """Some answers were not what they should be; the message counts them."""


def send(
    port: int,
    requests: Sequence[Request],
    *,
    connections: int = 1,
    secret: str = "",
    per_second: float = 0,
    expected: Collection[str] = (OK,),
) -> Result:
    """Have a generator send requests, and wait for it. Raises `LoadFailed`."""
    job = {"port": port, "requests": requests, "connections": connections, "secret": secret}
    job["per_second"] = per_second
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"],
        cwd=ROOT,
        input=json.dumps(job).encode(),
        check=True,
        stdout=subprocess.PIPE,
    )
    told = json.loads(done.stdout)
    if not told["statuses"].keys() <= set(expected):
        wanted = " or ".join(expected)
        raise LoadFailed(f"Not all of {len(requests)} were answered {wanted}: {told['statuses']}.")
    return Result(told["seconds"], told["each"], told["statuses"])


def written(request: Request, port: int, secret: str) -> bytes:
    """Return a request as it goes over the wire; one with a body is a POST."""
    body = request.body.encode()
    lines = [f"{'POST' if body else 'GET'} {request.path} HTTP/1.1", f"Host: {LOOPBACK}:{port}"]
    lines += [f"{name}: {value}" for name, value in request.headers.items()]
    lines += [f"Content-Length: {len(body)}"] if body else []
    if body and not request.headers:
        now = int(time.time())
        signed = hmac.new(secret.encode(), b"%d.%b" % (now, body), hashlib.sha256).hexdigest()
        lines += ["Content-Type: application/json; charset=utf-8"]
        lines += [f"Stripe-Signature: t={now},v1={signed}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Generator:
    """Sends what it is given over some connections."""

    def __init__(self, job: dict[str, Any]) -> None:
        """Write every request down."""
        self.port, self.connections = job["port"], job["connections"]
        self.pause_seconds = 1 / job["per_second"] if job["per_second"] else 0.0
        texts = [written(Request(*each), self.port, job["secret"]) for each in job["requests"]]
        self.queue: Iterator[tuple[int, bytes]] = iter(enumerate(texts))
        self.each = [0.0] * len(texts)
        self.statuses: Counter[str] = Counter()

    async def run(self) -> dict[str, Any]:
        """Connect, then start the clock and send."""
        opened = [
            await asyncio.open_connection(LOOPBACK, self.port) for _ in range(self.connections)
        ]
        started = time.perf_counter()
        await asyncio.gather(*(self.converse(started, *streams) for streams in opened))
        taken = time.perf_counter() - started
        return {"seconds": taken, "each": self.each, "statuses": self.statuses}

    async def converse(
        self, begun: float, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """Send the next request whenever the last one is answered, and it has its turn."""
        for number, text in self.queue:
            turn = begun + number * self.pause_seconds
            await asyncio.sleep(max(0.0, turn - time.perf_counter()))
            started = time.perf_counter()
            writer.write(text)
            head = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
            self.each[number] = time.perf_counter() - started
            self.statuses[head[9:12].decode()] += 1
        writer.close()


if __name__ == "__main__":
    print(json.dumps(asyncio.run(Generator(json.load(sys.stdin)).run())))
