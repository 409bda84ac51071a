"""What is secret stays out of whatever a value might be written into: a log line, a traceback, a test's output."""

import dataclasses
import importlib
import inspect
import pkgutil
import re

import marketplace

SECRET = re.compile(r"password|secret_key|client_secret|token$|_hash$|signing_keys")


def _dataclasses():
    for module in pkgutil.walk_packages(marketplace.__path__, "marketplace."):
        if ".migrations." in module.name or module.name.endswith(".wsgi"):  # which run when they are imported
            continue
        for _, found in inspect.getmembers(importlib.import_module(module.name), inspect.isclass):
            if dataclasses.is_dataclass(found) and found.__module__ == module.name:
                yield found


def test_no_value_shows_its_secrets():
    secret = [
        (each, field)
        for each in _dataclasses()
        for field in dataclasses.fields(each)
        if SECRET.search(field.name) and "Callable" not in str(field.type)
    ]

    assert len(secret) > 10
    assert [f"{each.__name__}.{field.name}" for each, field in secret if field.repr] == []
