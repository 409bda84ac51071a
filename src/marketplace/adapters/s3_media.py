"""Files in a bucket of S3, or of whatever speaks as S3 does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Lock
from typing import Any

from marketplace.application.ports.media import MAX_BYTES, Media, MediaStorage, checked_size, content_type_of
from marketplace.domain.shared.errors import Unavailable

CONNECT_SECONDS = 3
READ_SECONDS = 15
TRIES = 3


@dataclass(frozen=True, kw_only=True, slots=True)
class Bucket:
    """Without ``access_key`` the credentials are those of the machine, as the SDK finds them."""

    name: str
    region: str
    endpoint_url: str = ""
    access_key: str = ""
    secret_key: str = field(default="", repr=False)


class S3Media(MediaStorage):
    """The client is made by the first call: importing the SDK takes longer than a web worker has to start."""

    def __init__(self, bucket: Bucket) -> None:
        self._bucket = bucket
        self._making = Lock()
        self._made: Any = None

    def put(self, key: str, content: bytes) -> None:
        content_type = content_type_of(key)
        checked_size(key, content)
        with self._answering("take"):
            self._client().put_object(Bucket=self._bucket.name, Key=key, Body=content, ContentType=content_type)

    def get(self, key: str) -> Media | None:
        content_type = content_type_of(key)
        with self._answering("give"):
            client = self._client()
            try:
                found = client.get_object(Bucket=self._bucket.name, Key=key)
            except client.exceptions.NoSuchKey:
                return None
            if found["ContentLength"] > MAX_BYTES:
                raise Unavailable(f"{key} is larger than anything that was ever put there; somebody else wrote it.")
            content = found["Body"].read()
        return Media(content, content_type)

    def exists(self, key: str) -> bool:
        content_type_of(key)
        with self._answering("show"):
            client = self._client()
            try:
                client.head_object(Bucket=self._bucket.name, Key=key)
            except client.exceptions.ClientError as error:
                # The answer to HEAD has no body, so that the code is the bare status.
                if error.response["ResponseMetadata"]["HTTPStatusCode"] == 404:
                    return False
                raise
        return True

    def _client(self) -> Any:
        with self._making:
            if self._made is None:
                import boto3  # type: ignore[import-untyped]  # it has no types
                from botocore.config import Config  # type: ignore[import-untyped]

                config = Config(
                    signature_version="s3v4",
                    connect_timeout=CONNECT_SECONDS,
                    read_timeout=READ_SECONDS,
                    retries={"mode": "standard", "total_max_attempts": TRIES},
                    s3={"addressing_style": "path"} if self._bucket.endpoint_url else {},
                )
                self._made = boto3.session.Session().client(
                    "s3",
                    region_name=self._bucket.region,
                    endpoint_url=self._bucket.endpoint_url or None,
                    aws_access_key_id=self._bucket.access_key or None,
                    aws_secret_access_key=self._bucket.secret_key or None,
                    config=config,
                )
            return self._made

    @contextmanager
    def _answering(self, what: str) -> Iterator[None]:
        from botocore.exceptions import BotoCoreError, ClientError  # type: ignore[import-untyped]

        try:
            yield
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise Unavailable(f"Bucket {self._bucket.name} did not {what} the file: {code}.") from error
        except BotoCoreError as error:
            raise Unavailable(f"Bucket {self._bucket.name} did not {what} the file: {type(error).__name__}.") from error
