# One image for every command: `docker run … stream-app worker`, `… serve`, `… check`.
FROM python:3.11.14-slim-bookworm AS build
COPY requirements.lock /
# Wheels only and hashes required: nothing is compiled here, nothing unexpected is run.
RUN python -m venv /opt/venv \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
       --require-hashes --only-binary :all: --requirement /requirements.lock
COPY stream_app /opt/stream-app/stream_app
# The file system is read-only later on.
RUN /opt/venv/bin/python -m compileall -q /opt/stream-app

FROM python:3.11.14-slim-bookworm
COPY --from=build /opt/venv /opt/venv
COPY --from=build /opt/stream-app /opt/stream-app
# Safe path: /tmp is writable, and what lies there must not be imported.
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONPATH=/opt/stream-app \
    PYTHONSAFEPATH=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1
WORKDIR /tmp
USER 10001:10001
ENTRYPOINT ["python", "-m", "stream_app"]
CMD ["--help"]
