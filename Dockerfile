# One image for every service; docker-compose.yml says which command each runs.
FROM python:3.11-slim

COPY requirements.lock pyproject.toml README.md LICENSE /src/
RUN pip install --no-cache-dir --require-hashes -r /src/requirements.lock

COPY gatewatch /src/gatewatch
COPY forwarder /src/forwarder
COPY ingest /src/ingest
COPY queries /src/queries
COPY dashboards /src/dashboards
RUN pip install --no-cache-dir --no-deps /src

VOLUME /data
ENV GATEWATCH_DATA=/data
ENTRYPOINT ["gatewatch"]
CMD ["--help"]
