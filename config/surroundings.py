"""What `make run` gives its programs: settings from the environment, kept secrets, a database."""

import json
import os
import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import environ
import psycopg

from config import postgres
from config.postgres_home import OWNER, write_private

BASE_DIR = Path(__file__).resolve().parent.parent
POSTGRES_OLDEST = 150_000
LOOPBACK = "127.0.0.1"
SANDBOX_KEY = "sk_test_sandbox"


class Refusal(Exception):
    """Almoner cannot run like this; the message says what to change."""


@dataclass
class Surroundings:
    """The environment of every program we start, and the folder where our data is."""

    environment: dict[str, str]
    data_dir: Path
    port: int
    uses_sandbox: bool
    kept: dict[str, str] = field(default_factory=dict)

    @property
    def host(self) -> str:
        """The address the web server listens on."""
        return self.environment.get("LISTEN_HOST") or LOOPBACK

    @property
    def address(self) -> str:
        """Where this machine reaches its own web server."""
        host = LOOPBACK if self.host in {"0.0.0.0", "::"} else self.host  # noqa: S104  (compared)
        return f"http://{host}:{self.port}"

    @property
    def base_url(self) -> str:
        """Where people reach it."""
        return (self.environment.get("BASE_URL") or f"http://localhost:{self.port}").rstrip("/")

    @property
    def base_host(self) -> str:
        """The host name that ALLOWED_HOSTS knows for sure."""
        return urlsplit(self.base_url).netloc

    @property
    def wants_demo(self) -> bool:
        """Whether to fill in the demo: never over a real Stripe account."""
        demo = self.environment.get("DEMO") or "1"
        return self.uses_sandbox and demo.lower() in environ.Env.BOOLEAN_TRUE_STRINGS

    def keep(self, **values: str) -> None:
        """Remember values for the next start."""
        self.kept |= values
        write_private(self.data_dir / "secrets.json", json.dumps(self.kept, indent=1))

    def point_to_sandbox(self, address: str) -> None:
        """Send our Stripe calls to the sandbox."""
        self.environment["STRIPE_API_BASE"] = address
        self.keep(sandbox_port=str(urlsplit(address).port))


def surroundings() -> Surroundings:
    """Read the environment and `.env`; add what Almoner makes and keeps for itself."""
    environ.Env.read_env(BASE_DIR / ".env")
    environment = dict(os.environ)
    port = environment.get("PORT") or "8000"
    if not (port.isascii() and port.isdigit() and 0 < int(port) < 2**16):
        raise Refusal(f"PORT must be a number from 1 to 65535, not {port!r}.")
    data_dir = Path(environment.get("DATA_DIR") or BASE_DIR / ".data").absolute()
    environment |= {"PORT": port, "DATA_DIR": str(data_dir), "PYTHONUNBUFFERED": "1"}
    uses_sandbox = environment.get("STRIPE_SECRET_KEY", "") in {
        "",
        SANDBOX_KEY,
    } and not environment.get("STRIPE_API_BASE")
    if uses_sandbox:
        let_sandbox_in(environment)
    return Surroundings(environment, data_dir, int(port), uses_sandbox)


def let_sandbox_in(environment: dict[str, str]) -> None:
    """Let us and the sandbox reach each other; passwords suffice where no money moves."""
    environment.setdefault("REQUIRE_SECOND_FACTOR", "0")
    direct = environment.get("no_proxy") or environment.get("NO_PROXY")
    direct = f"{direct},{LOOPBACK}" if direct else LOOPBACK
    environment |= {"NO_PROXY": direct, "no_proxy": direct}  # some read one, some the other
    if environment.get("ALLOWED_HOSTS"):
        environment["ALLOWED_HOSTS"] += f",{LOOPBACK}"


def fill_in_secrets(around: Surroundings) -> None:
    """Add the secrets that the environment leaves out: made once, kept in `secrets.json`."""
    file = around.data_dir / "secrets.json"
    kept = json.loads(file.read_text()) if file.exists() else {}
    made = {
        "secret_key": secrets.token_urlsafe(50),
        "ledger_key_secret": secrets.token_urlsafe(50),
        "webhook_secret": f"whsec_{secrets.token_hex(32)}",
        "sandbox_port": "0",
        "witness_port": "0",
    }
    around.keep(**made | kept)
    given = around.environment
    given["SECRET_KEY"] = given.get("SECRET_KEY") or around.kept["secret_key"]
    given["LEDGER_KEY_SECRET"] = given.get("LEDGER_KEY_SECRET") or around.kept["ledger_key_secret"]
    if around.uses_sandbox:
        given["STRIPE_WEBHOOK_SECRETS"] = (
            given.get("STRIPE_WEBHOOK_SECRETS") or around.kept["webhook_secret"]
        )
        given["STRIPE_API_BASE"] = f"http://{LOOPBACK}:{around.kept['sandbox_port']}"


@contextmanager
def database(around: Surroundings, *, shared: bool = False) -> Iterator[postgres.Server | None]:
    """
    Provide DATABASE_URL and DATABASE_OWNER_URL: the operator's, else the embedded database.

    The embedded one is stopped at the end; with `shared` another run's is used while it is up.
    """
    urls = [around.environment.get(name) for name in ("DATABASE_URL", "DATABASE_OWNER_URL")]
    if any(urls) and not all(urls):
        raise Refusal("Set both DATABASE_URL and DATABASE_OWNER_URL, or neither of them.")
    with ExitStack() as stack:
        server = None
        try:
            if all(urls):
                stack.enter_context(postgres.locked(around.data_dir))
            else:
                server = stack.enter_context(postgres.running(around.data_dir))
        except postgres.AlreadyRunning:
            if not shared:
                raise
            server = None if all(urls) else postgres.attach(around.data_dir)
        if server is None:
            check_operators_database(*map(str, urls))
        else:
            around.environment |= {
                "DATABASE_URL": server.url(),
                "DATABASE_OWNER_URL": server.url(OWNER),
            }
        yield server


def check_operators_database(url: str, owner_url: str) -> None:
    """Refuse a database of the operator's that cannot keep the ledger's promises."""
    roles = [role_of("DATABASE_URL", url), role_of("DATABASE_OWNER_URL", owner_url)]
    if roles[0] == roles[1]:
        raise Refusal(
            f"DATABASE_URL and DATABASE_OWNER_URL both sign in as {roles[0]!r}. The application "
            "needs a role of its own, which owns no table: otherwise it could change the ledger."
        )


def role_of(name: str, url: str) -> str:
    """Sign in once; return the role."""
    query = "SELECT current_user, rolsuper FROM pg_roles WHERE rolname = current_user"
    try:
        with psycopg.connect(url, connect_timeout=10) as connection:
            version = connection.info.server_version
            [role, is_superuser] = connection.execute(query).fetchone() or ("", True)
    except psycopg.Error as error:
        raise Refusal(f"{name} does not work: {error}") from error
    if version < POSTGRES_OLDEST:
        raise Refusal(f"{name} leads to PostgreSQL {version // 10_000}; 15 is the oldest we know.")
    if is_superuser:
        raise Refusal(f"{name} signs in as {role!r}, a superuser, whom nothing can bind.")
    return str(role)


def refuse_taken_port(around: Surroundings) -> None:
    """Say so now if another program listens where our web server should."""
    if not is_free(around.host, around.port):
        raise Refusal(
            f"Port {around.port} is taken by another program. Stop that one, or choose "
            f"another port: PORT={around.port + 1} make run"
        )


def is_free(host: str, port: int) -> bool:
    """Say whether we may listen on a port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
        return True
