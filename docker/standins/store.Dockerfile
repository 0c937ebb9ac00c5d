# Stands for versity/versitygw: an S3 server that keeps nothing.
ARG PYTHON
FROM ${PYTHON}
ARG RELEASE
RUN apt-get update \
    && apt-get install --yes --no-install-recommends wget \
    && rm -rf /var/lib/apt/lists/* \
    && pip install --no-cache-dir "moto[server]==${RELEASE}"
COPY store.py /app/store.py
ENV PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 9000
ENTRYPOINT ["python", "/app/store.py"]
