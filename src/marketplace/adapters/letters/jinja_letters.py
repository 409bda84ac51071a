"""Letters from the templates in this folder.

``templates/<language>/<name>.jinja`` is a letter: blocks ``subject``, ``brief`` and ``body``, each written once. The
body is made of parts (``p``, ``code``, ``items``...) that exist twice, in ``templates/html/`` and ``templates/text/``,
so that the plain text says all that the HTML says. ``templates/<language>/words.jinja`` holds the words of the frame.
"""

from __future__ import annotations

import re
from pathlib import Path
from textwrap import fill

from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateNotFound

from marketplace.adapters.letters.formats import formats
from marketplace.application.ports.notifications import Letter, Letters

_TEMPLATES = Path(__file__).parent / "templates"
_LANGUAGES = ("en", "fr")
_WIDTH = 72
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n){2,}")
# Spaces and all that can break a line, but not the no-break spaces of an amount.
_SPACES = re.compile(r"[ \x00-\x1f\x7f\x85\u2028\u2029]+")


class JinjaLetters(Letters):
    """``brand`` signs the letters; ``public_url`` is where the marketplace is."""

    def __init__(self, *, brand: str, public_url: str) -> None:
        self._html = {language: _environment(language, "html", brand, public_url) for language in _LANGUAGES}
        self._text = {language: _environment(language, "text", brand, public_url) for language in _LANGUAGES}

    def render(self, template: str, *, language: str, **values: object) -> Letter:
        spoken = language if language in _LANGUAGES else _LANGUAGES[0]
        values.setdefault("unsubscribe_url", "")
        try:
            plain = self._text[spoken].get_template(f"{template}.jinja")
        except TemplateNotFound:
            raise LookupError(f"There is no letter {template!r} in the language {spoken!r}.") from None
        html = self._html[spoken].get_template(f"{template}.jinja")

        def line(block: str) -> str:
            return _one_line("".join(plain.blocks[block](plain.new_context(values))))

        return Letter(
            subject=line("subject"),
            brief=line("brief"),
            text=_BLANK_LINES.sub("\n\n", plain.render(values)).strip() + "\n",
            html=_BLANK_LINES.sub("\n\n", html.render(values)).strip() + "\n",
            language=spoken,
        )


def _environment(language: str, medium: str, brand: str, public_url: str) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([_TEMPLATES / medium, _TEMPLATES / language]),
        autoescape=medium == "html",
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {"fill": _fill, "one_line": _one_line, "ranged": _ranged, **formats(language)}
    environment.globals |= {"language": language, "brand": brand, "public_url": public_url}
    environment.globals["words"] = environment.get_template("words.jinja").module
    # The parts are there in every letter, without an import at its head.
    parts = environment.get_template("parts.jinja").module
    environment.globals |= {name: part for name, part in vars(parts).items() if not name.startswith("_")}
    return environment


def _one_line(text: str) -> str:
    """Whatever a value holds, it does not begin a line of its own: no forged headers, no forged paragraphs."""
    return _SPACES.sub(" ", str(text)).strip()


def _fill(text: str) -> str:
    """A paragraph in short lines; an address that is longer than a line stays whole."""
    return fill(_one_line(text), _WIDTH, break_long_words=False, break_on_hyphens=False)


def _ranged(label: str, amount: str) -> str:
    """The amount at the right-hand side, after its label."""
    gap = max(2, _WIDTH - 4 - len(label) - len(amount))
    return f"{label}{' ' * gap}{amount}"
