"""The mailbox of a developer: every message that would have been sent. Development only."""

from __future__ import annotations

from flask import Blueprint, Response, render_template_string

from marketplace.application.ports.notifications import KeptMail, Mailbox
from marketplace.domain.shared.errors import NotFound

_SHOWN = 100
_POLICY = "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"
# The frame of a letter has the policy of its page: the styles in the letter count, and nothing else in it does. It is
# a sandbox that allows nothing, so that neither scripts nor forms nor links in it lead anywhere.
_POLICY_WITH_LETTER = _POLICY.replace("style-src 'self'", "style-src 'self' 'unsafe-inline'")

_PAGE = """<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="robots" content="noindex">
  <title>{{ title }} · Mailbox</title>
  <link rel="stylesheet" href="/static/mailbox.css">
</head>
<body>
  <header>
    <a class="brand" href="/dev/mailbox/">Mailbox</a>
    <span class="note">Development only: nothing here has left this machine.</span>
  </header>
  <div class="columns">
    <nav aria-label="Messages">
      {% if messages %}
      <ol>
        {% for mail in messages %}
        <li>
          <a href="/dev/mailbox/{{ mail.message_id }}/"
            {%- if opened and mail.message_id == opened.message_id %} aria-current="page"{% endif %}>
            <span class="subject">{{ mail.subject }}</span>
            <span class="to">{{ mail.to }}</span>
            <time datetime="{{ mail.sent_at.isoformat() }}">{{ mail.sent_at.strftime("%d %b, %H:%M") }} UTC</time>
          </a>
        </li>
        {% endfor %}
      </ol>
      {% else %}
      <p class="empty">
        No message yet. Register at <code>POST /api/v1/auth/register/</code>, and the first one arrives.
      </p>
      {% endif %}
    </nav>
    <main>
      {% if opened %}
      <article>
        <h1>{{ opened.subject }}</h1>
        <dl>
          <dt>To</dt><dd>{{ opened.to }}</dd>
          <dt>Sent</dt>
          <dd>
            <time datetime="{{ opened.sent_at.isoformat() }}">
              {{- opened.sent_at.strftime("%A, %d %B %Y, %H:%M:%S") }} UTC</time>
          </dd>
          <dt>Name</dt><dd><code>{{ opened.message_id }}</code></dd>
        </dl>
        {% if opened.html %}
        <iframe class="letter" sandbox title="The message as HTML" srcdoc="{{ opened.html }}"></iframe>
        <h2>As plain text</h2>
        {% endif %}
        <div class="text">{{ opened.text }}</div>
      </article>
      {% else %}
      <p class="empty">{{ text }}</p>
      {% endif %}
    </main>
  </div>
</body>
</html>
"""


def mailbox_blueprint(*, mailbox: Mailbox) -> Blueprint:
    blueprint = Blueprint("dev_mailbox", __name__)

    @blueprint.get("/dev/mailbox/")
    def inbox() -> Response:
        return _page(mailbox, title="All messages", text="Choose a message.")

    @blueprint.get("/dev/mailbox/<message_id>/")
    def message(message_id: str) -> Response:
        try:
            opened = mailbox.message(message_id)
        except NotFound as error:
            return _page(mailbox, title="Not found", text=str(error), status=404)
        return _page(mailbox, title=opened.subject, opened=opened)

    return blueprint


def _page(
    mailbox: Mailbox, *, title: str, text: str = "", opened: KeptMail | None = None, status: int = 200
) -> Response:
    messages = mailbox.messages(limit=_SHOWN)
    html = render_template_string(_PAGE, title=title, text=text, opened=opened, messages=messages)
    response = Response(html, status=status, mimetype="text/html")
    response.headers["Content-Security-Policy"] = _POLICY_WITH_LETTER if opened and opened.html else _POLICY
    response.headers["Cache-Control"] = "no-store"
    return response
