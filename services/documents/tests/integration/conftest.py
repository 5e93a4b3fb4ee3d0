"""Documents on a real database and a real object store, with a bucket of its own for each run."""

import os
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from minio import Minio

from chassis.testing import World, backing, drop_database, make_world
from documents.app import service
from documents.store import make_bucket, store_of


@pytest.fixture(scope="session")
def world() -> Iterator[World]:
    url = backing("PRAXIS_TEST_S3_URL")
    made = make_world(
        service,
        s3_url=url,
        s3_public_url=url,
        s3_access_key=backing("PRAXIS_TEST_S3_ACCESS_KEY"),
        s3_secret_key=backing("PRAXIS_TEST_S3_SECRET_KEY"),
        s3_bucket=f"test-documents-{os.getpid()}",
    )
    make_bucket(made.runtime.settings)
    yield made
    _remove_bucket(made)
    made.close()
    drop_database(made.runtime.settings.database_url)


def _remove_bucket(world: World) -> None:
    store, settings = store_of(world.runtime.settings), world.runtime.settings
    for key in {o.key for o in store.listing("")}:
        store.remove(key)
    client = Minio(
        endpoint=urlsplit(settings.s3_url).netloc,
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        secure=False,
        region="us-east-1",
    )
    client.remove_bucket(bucket_name=settings.s3_bucket)
