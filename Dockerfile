# One image for every command: `docker run … stream-app worker`, `… serve`, `… check`; in a running container, `stream-app …`.
FROM python:3.11.14-bookworm AS compiled
COPY requirements-build.lock /
RUN pip install --no-cache-dir --disable-pip-version-check \
    --require-hashes --only-binary :all: --requirement /requirements-build.lock
COPY scripts/compile /source/scripts/
COPY stream_app /source/stream_app
RUN python /source/scripts/compile /opt/stream-app

FROM python:3.11.14-slim-bookworm AS build
COPY requirements-image.lock /
# Wheels only and hashes required: of others' code nothing is compiled, and nothing unexpected is run.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --only-binary :all: --requirement /requirements-image.lock
COPY --from=compiled /opt/stream-app /opt/stream-app
# The file system is read-only later on.
RUN /opt/venv/bin/python -m compileall -q /opt/stream-app
# The command by its name, for `docker compose exec worker stream-app check`. -P: see below.
RUN printf '%s\n' '#!/opt/venv/bin/python -P' 'from stream_app.__main__ import main' 'main()' >/opt/venv/bin/stream-app \
    && chmod 755 /opt/venv/bin/stream-app

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/stream-app /opt/stream-app
# Safe path: /tmp is writable, and what lies there must not be imported.
# What a new volume for the ledger begins with: it belongs to who writes it.
RUN install --directory --owner 10001 --group 10001 /ledger
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/stream-app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["stream-app"]
CMD ["--help"]
