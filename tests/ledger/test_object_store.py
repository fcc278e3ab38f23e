"""The log in an object store: moto plays S3, over real HTTP."""

import logging
import re
import sys

import boto3
import pytest
import requests
from botocore.config import Config
from django.core.management import CommandError
from moto.server import ThreadedMotoServer

from tests.factories import OrganisationFactory
from tests.ledger.test_export_log import export, files_in, grow

pytestmark = pytest.mark.django_db
TARGET = "s3://mirror/almoner"
FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(autouse=True)
def endpoint(monkeypatch):
    """A store, where the environment says that it is."""
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    surroundings = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ENDPOINT_URL_S3": f"http://localhost:{port}",
        "AWS_MAX_ATTEMPTS": "1",
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    for name, value in surroundings.items():
        monkeypatch.setenv(name, value)
    yield
    requests.post(f"http://{host}:{port}/moto-api/reset", timeout=30)
    server.stop()


@pytest.fixture
def store(endpoint):
    """Somebody else's client of the store, with an empty bucket."""
    client = boto3.client("s3", config=Config(s3={"addressing_style": "path"}))
    place = {"LocationConstraint": "eu-central-1"}
    client.create_bucket(Bucket="mirror", CreateBucketConfiguration=place)
    yield client
    client.close()


@pytest.fixture
def organisation():
    return OrganisationFactory(slug="lantern")


def objects_in(store):
    """Return what a bucket has, by name."""
    found = store.list_objects_v2(Bucket="mirror").get("Contents", [])
    return {each["Key"]: store.get_object(Bucket="mirror", Key=each["Key"]) for each in found}


def contents_of(objects):
    return {name: found["Body"].read() for name, found in objects.items()}


def written(caplog):
    """Return what the server was asked to write, in its order."""
    asked = [re.search(r'"PUT /mirror/(\S+) ', record.getMessage()) for record in caplog.records]
    return [match[1] for match in asked if match]


def test_a_store_gets_the_files_that_a_folder_gets(organisation, store, tmp_path):
    grow(organisation, 515)
    export(tmp_path)

    assert export(TARGET) == "lantern: 515 entries\n"

    files = {f"almoner/{path}": file.read_bytes() for path, file in files_in(tmp_path).items()}
    assert contents_of(objects_in(store)) == files


def test_servers_are_told_how_long_each_is_good(organisation, store):
    grow(organisation, 300)

    export("s3://mirror")

    folder = f"log/{organisation.id}/"
    told = {
        name.removeprefix(folder): (found["CacheControl"], found["ContentType"])
        for name, found in objects_in(store).items()
    }
    octets = "application/octet-stream"
    assert told == {
        "checkpoint": ("public, max-age=2", "text/plain; charset=utf-8"),
        "tile/0/000": (FOR_EVER, octets),
        "tile/0/001.p/44": ("public, max-age=2", octets),
        "tile/1/000.p/1": ("public, max-age=2", octets),
        "tile/entries/000": (FOR_EVER, octets),
        "tile/entries/001.p/44": ("public, max-age=2", octets),
    }


def test_only_what_is_new_is_written_and_the_checkpoint_last(organisation, store, caplog):
    grow(organisation, 300)
    export(TARGET)
    grow(organisation, 301)
    caplog.set_level(logging.INFO, logger="werkzeug")
    caplog.clear()

    export(TARGET)

    folder = f"almoner/log/{organisation.id}"
    assert written(caplog) == [
        f"{folder}/tile/0/001.p/45",
        f"{folder}/tile/entries/001.p/45",
        f"{folder}/checkpoint",
    ]
    assert b"\n301\n" in contents_of(objects_in(store))[f"{folder}/checkpoint"]


def test_what_was_cut_off_is_written_again(organisation, store):
    grow(organisation, 10)
    export(TARGET)
    whole = contents_of(objects_in(store))
    for name in ("checkpoint", "tile/0/000.p/10"):
        key = f"almoner/log/{organisation.id}/{name}"
        store.put_object(Bucket="mirror", Key=key, Body=b"half")

    export(TARGET)

    assert contents_of(objects_in(store)) == whole


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("s3://", "is named as s3://bucket"),
        ("s3:///prefix", "is named as s3://bucket"),
        ("s3://nowhere/x", "specified bucket does not exist.*docs/mirrors.md"),
        ("s3://no bucket", "bucket name.*docs/mirrors.md"),
    ],
)
def test_a_store_that_is_none_is_told(organisation, store, target, words):
    grow(organisation, 2)

    with pytest.raises(CommandError, match=f"(?is){words}"):
        export(target)


def test_a_store_that_does_not_answer_is_told(organisation, monkeypatch):
    grow(organisation, 2)
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "http://127.0.0.1:1")

    with pytest.raises(CommandError, match=r"127\.0\.0\.1:1/.*docs/mirrors\.md"):
        export(TARGET)


def test_without_the_libraries_it_says_how_to_install_them(organisation, monkeypatch):
    monkeypatch.delitem(sys.modules, "ledger.object_store", raising=False)
    monkeypatch.setitem(sys.modules, "storages.backends.s3", None)

    with pytest.raises(CommandError, match=r"pip install --require-hashes -r requirements-s3\.txt"):
        export(TARGET)
