"""A sandbox to share, for tests that open an account of their own; one alone, for the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sandbox.running import Receiver, Sandbox, running


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    receiver = Receiver()
    with running(tmp_path_factory.mktemp("sandbox"), receiver, settle_seconds=0.0) as shared:
        yield shared
    receiver.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    hook = Receiver()
    yield hook
    hook.close()


@pytest.fixture
def alone(tmp_path: Path, receiver: Receiver) -> Iterator[Sandbox]:
    with running(tmp_path, receiver) as sandbox:
        yield sandbox


@pytest.fixture
def account(sandbox: Sandbox) -> str:
    return sandbox.account()
