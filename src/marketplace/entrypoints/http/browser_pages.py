"""What the few pages that people open in a browser share: one frame, headers that let nothing else in, proven forms."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Response, render_template_string

LONGEST_FORM = 1024
"""In bytes: their forms have a few short fields."""

_FRAME = """<!doctype html>
<html lang="{{ language }}">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>{{ title }} · {{ brand }}</title>
  <link rel="stylesheet" href="/static/payment.css">
</head>
<body>
  <main>
    <p class="brand">{{ brand }}</p>
    <h1>{{ title }}</h1>
    <p>{{ text }}</p>
    %s
  </main>
</body>
</html>
"""


def browser_page(
    title: str,
    *,
    brand: str,
    text: str,
    inside: str = "",
    language: str = "en",
    status: int = 200,
    form_action: str = "'none'",
    **values: object,
) -> Response:
    """A page of our own. ``inside`` is a template that comes below ``text``, and is given ``values``.

    ``form_action`` names where its forms may lead, as in a Content-Security-Policy.
    """
    template = _FRAME % inside
    html = render_template_string(template, title=title, brand=brand, text=text, language=language, **values)
    response = Response(html, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = (
        f"default-src 'none'; style-src 'self'; form-action {form_action}; base-uri 'none'; frame-ancestors 'none'"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def form_token(key: bytes, subject: str) -> str:
    """Proves that a form about ``subject`` came from our page: no other site can read it there."""
    return hmac.digest(key, subject.encode(), "sha256").hex()


def is_form_token(token: str, *, key: bytes, subject: str) -> bool:
    return hmac.compare_digest(token.encode(), form_token(key, subject).encode())


def origins_of(*urls: str) -> str:
    """``'self'`` and the origins of the URLs: a form may only lead where it is sent on to afterwards."""
    parts = [urlsplit(url) for url in urls]
    origins = [f"{each.scheme}://{each.netloc}" for each in parts if each.scheme in ("http", "https") and each.netloc]
    return " ".join(["'self'", *origins])
