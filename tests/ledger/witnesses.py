"""Witnesses as partners run them, and a policy that asks them."""

from contextlib import contextmanager

from tests.ledger.test_witness import Running


class Partner:
    """A witness that can be stopped and started again, at the same address."""

    def __init__(self, folder, name, *vkeys):
        self.folder, self.name = folder, name
        self.vkeys, self.port = vkeys, 0
        self.start()

    def start(self):
        logs = [word for vkey in self.vkeys for word in ("--log", vkey)]
        options = ["--name", self.name, "--port", str(self.port)]
        self.running = Running(self.folder, *logs, *options)
        self.vkey, self.port = self.running.vkey, self.running.port

    def stop(self):
        self.running.stop()

    def kill(self):
        self.running.process.kill()
        self.running.process.wait()
        self.running.process.stdout.close()

    @property
    def line(self):
        """Return its line in a policy."""
        return f"witness {self.name} {self.vkey} http://127.0.0.1:{self.port}"


@contextmanager
def two_partners(folder, vkey):
    """Run two witnesses who know a log."""
    partners = [Partner(folder / name, f"{name}.example", vkey) for name in ("anna", "bert")]
    try:
        yield partners
    finally:
        for partner in partners:
            if partner.running.process.poll() is None:
                partner.stop()


def policy_of_all(partners):
    """Return the lines of a policy that wants all to sign."""
    names = " ".join(partner.name for partner in partners)
    return [*(partner.line for partner in partners), f"group both all {names}", "quorum both"]


def write_policy(settings, folder, *lines):
    """Set a policy of these lines; return the file."""
    number = len(list(folder.glob("policy-*")))
    file = folder / f"policy-{number}"
    file.write_text("".join(f"{line}\n" for line in lines))
    settings.LEDGER_WITNESS_POLICY = str(file)
    return file


def ask_again(superuser):
    """Let the time pass after which a witness is asked again that did not want to sign."""
    superuser.execute("UPDATE ledger_witnessanswer SET asked_at = asked_at - interval '1 hour'")
