"""What the WSGI server loads: ``marketplace.entrypoints.http.wsgi:app``."""

from __future__ import annotations

import gc

from marketplace.entrypoints import logs
from marketplace.entrypoints.container import build_container
from marketplace.entrypoints.http.app import create_app
from marketplace.entrypoints.settings import Settings, read_environment

_settings = Settings.from_env(read_environment())
logs.configure(format=_settings.log_format, level=_settings.log_level, file=_settings.log_file)
app = create_app(build_container(_settings))

# What is there now stays: the collector need not look through all of it again and again.
gc.collect()
gc.freeze()
