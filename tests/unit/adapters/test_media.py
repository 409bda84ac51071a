"""Files in memory, in a folder, and in a bucket that answers as S3 does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from moto import mock_aws

from marketplace.adapters.folder_media import FolderMedia
from marketplace.adapters.memory.media import InMemoryMedia
from marketplace.adapters.s3_media import Bucket, S3Media
from marketplace.application.ports import media
from marketplace.domain.shared.errors import Unavailable
from tests.contracts.media import KEY, MediaContract

BUCKET = Bucket(name="cards", region="eu-west-3", access_key="key", secret_key="a-secret-of-the-bucket")


class TestInMemoryMedia(MediaContract):
    @pytest.fixture
    def storage(self) -> InMemoryMedia:
        return InMemoryMedia()


class TestFolderMedia(MediaContract):
    @pytest.fixture
    def storage(self, tmp_path: Path) -> FolderMedia:
        return FolderMedia(tmp_path / "media")

    def test_leaves_no_draft_when_it_cannot_write(
        self, storage: FolderMedia, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(*args: object) -> None:
            raise OSError(28, "No space left on device")

        monkeypatch.setattr(os, "fsync", full)
        with pytest.raises(Unavailable, match="No space left"):
            storage.put(KEY, b"x")
        assert [path for path in tmp_path.rglob("*") if path.is_file()] == []

    def test_follows_no_link_out_of_it(self, storage: FolderMedia, tmp_path: Path) -> None:
        (tmp_path / "secrets").mkdir()
        (tmp_path / "secrets" / "a.pdf").write_bytes(b"secret")
        (tmp_path / "media").mkdir()
        (tmp_path / "media" / "documents").symlink_to(tmp_path / "secrets")
        for act in (storage.get, storage.exists, lambda key: storage.put(key, b"x")):
            with pytest.raises(Unavailable, match="outside"):
                act("documents/a.pdf")
        assert (tmp_path / "secrets" / "a.pdf").read_bytes() == b"secret"

    def test_reads_nothing_that_somebody_else_made_too_large(
        self, storage: FolderMedia, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage.put(KEY, b"12345")
        monkeypatch.setattr("marketplace.adapters.folder_media.MAX_BYTES", 4)
        with pytest.raises(Unavailable, match="larger"):
            storage.get(KEY)

    def test_says_when_the_folder_does_not_answer(self, tmp_path: Path) -> None:
        (tmp_path / "media").write_bytes(b"a file")
        with pytest.raises(Unavailable):
            FolderMedia(tmp_path / "media").put(KEY, b"x")


class TestS3Media(MediaContract):
    @pytest.fixture
    def storage(self) -> Iterator[S3Media]:
        with mock_aws():
            boto3.client("s3", region_name="eu-west-3").create_bucket(
                Bucket="cards", CreateBucketConfiguration={"LocationConstraint": "eu-west-3"}
            )
            yield S3Media(BUCKET)

    def test_keeps_the_type_with_the_file(self, storage: S3Media) -> None:
        storage.put(KEY, b"%PDF")
        found = boto3.client("s3", region_name="eu-west-3").head_object(Bucket="cards", Key=KEY)
        assert found["ContentType"] == "application/pdf"

    def test_reads_nothing_that_somebody_else_made_too_large(
        self, storage: S3Media, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        storage.put(KEY, b"12345")
        monkeypatch.setattr("marketplace.adapters.s3_media.MAX_BYTES", 4)
        with pytest.raises(Unavailable, match="larger"):
            storage.get(KEY)

    def test_says_when_the_bucket_is_not_there(self) -> None:
        with mock_aws():
            storage = S3Media(BUCKET)
            for act in (storage.get, lambda key: storage.put(key, b"x")):
                with pytest.raises(Unavailable, match="NoSuchBucket"):
                    act(KEY)

    def test_waits_for_nobody_for_ever(self, storage: S3Media) -> None:
        config = storage._client().meta.config
        assert (config.connect_timeout, config.read_timeout) == (3, 15)
        assert config.retries["total_max_attempts"] == 3

    @pytest.mark.parametrize(
        "error",
        [
            EndpointConnectionError(endpoint_url="https://s3.example"),
            ClientError({"Error": {"Code": "403"}, "ResponseMetadata": {"HTTPStatusCode": 403}}, "HeadObject"),
        ],
    )
    def test_what_it_does_not_answer_is_not_taken_for_an_absence(
        self, storage: S3Media, error: Exception, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def fails(**asked: str) -> None:
            raise error

        monkeypatch.setattr(storage._client(), "head_object", fails)
        with pytest.raises(Unavailable) as refused:
            storage.exists(KEY)
        assert BUCKET.secret_key not in str(refused.value)

    def test_speaks_to_another_server_when_told_so(self) -> None:
        bucket = replace(BUCKET, region="us-east-1", endpoint_url="http://127.0.0.1:9")
        made = S3Media(bucket)._client()
        assert made.meta.endpoint_url == "http://127.0.0.1:9"
        assert "a-secret-of-the-bucket" not in repr(BUCKET)


def test_every_ending_has_a_type() -> None:
    assert {media.content_type_of(f"a.{ending}") for ending in media.CONTENT_TYPES} == {*media.CONTENT_TYPES.values()}
