# Stands for apache/superset: the package of the same release in the environment that the official image has.
# Flask-Caching 2.4 has another signature than this release calls; the official image pins what it was built with.
ARG PYTHON
FROM ${PYTHON}
ARG RELEASE
RUN apt-get update \
    && apt-get install --yes --no-install-recommends curl \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir uv \
    && useradd --uid 1000 --create-home superset \
    && uv venv /app/.venv \
    && uv pip install --no-cache --compile-bytecode --python /app/.venv/bin/python "apache-superset==${RELEASE}" gunicorn redis rich "flask-caching<2.4" \
    && install --directory --owner=superset /app/superset_home /app/pythonpath
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app/pythonpath SUPERSET_HOME=/app/superset_home SUPERSET_PORT=8088
WORKDIR /app
USER superset
EXPOSE 8088
CMD ["gunicorn", "--bind", "0.0.0.0:8088", "--workers", "1", "--worker-class", "gthread", "--threads", "20", "--timeout", "60", "superset.app:create_app()"]
