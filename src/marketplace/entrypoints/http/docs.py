"""The API document and two readers of it, Swagger UI and ReDoc, served from the package: they work offline."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

import orjson
from flask import Blueprint, Flask, Response, jsonify, render_template_string, request, send_from_directory

from marketplace import __version__
from marketplace.entrypoints.http.blueprints import PREFIX, document_of

STATIC = Path(__file__).with_name("static")

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <title>{{ title }}</title>
  <link rel="icon" href="/static/swagger-ui/favicon-32x32.png">
  <link rel="stylesheet" href="/static/pages.css">
  {% if style %}<link rel="stylesheet" href="{{ style }}">{% endif %}
</head>
<body>
  <div id="document" data-url="{{ url }}"></div>
  <noscript>This page needs JavaScript; the document itself is at <a href="{{ url }}">{{ url }}</a>.</noscript>
  {% for script in scripts %}<script src="{{ script }}"></script>{% endfor %}
</body>
</html>
"""

# Both set style attributes and draw with data: pictures; ReDoc searches in a worker made of a blob.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self'; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def docs_blueprint(app: Flask) -> Blueprint:
    blueprint = Blueprint("docs", __name__)

    @cache
    def document() -> tuple[bytes, str]:
        text = orjson.dumps(document_of(app))
        return text, hashlib.sha256(text).hexdigest()[:20]

    @blueprint.get("/")
    def index() -> Response:
        return jsonify(
            name="Marketplace",
            version=__version__,
            api=f"{PREFIX}/",
            openapi=f"{PREFIX}/openapi.json",
            documentation=["/swagger/", "/redoc/"],
            health="/health/",
        )

    @blueprint.get(f"{PREFIX}/openapi.json")
    def openapi() -> Response:
        text, tag = document()
        response = Response(text, mimetype="application/json")
        response.set_etag(tag)
        response.headers["Cache-Control"] = "no-cache"
        response.make_conditional(request)
        return response

    @blueprint.get("/swagger/")
    def swagger() -> Response:
        return _page(
            "Marketplace API: Swagger UI",
            style="/static/swagger-ui/swagger-ui.css",
            scripts=["/static/swagger-ui/swagger-ui-bundle.js", "/static/swagger.js"],
        )

    @blueprint.get("/redoc/")
    def redoc() -> Response:
        return _page(
            "Marketplace API: ReDoc", style="", scripts=["/static/redoc/redoc.standalone.js", "/static/redoc.js"]
        )

    @blueprint.get("/static/<path:name>")
    def static(name: str) -> Response:
        return send_from_directory(STATIC, name, max_age=3600)

    return blueprint


def _page(title: str, *, style: str, scripts: list[str]) -> Response:
    html = render_template_string(_PAGE, title=title, style=style, scripts=scripts, url=f"{PREFIX}/openapi.json")
    response = Response(html, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY
    return response
