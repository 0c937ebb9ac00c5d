# Stands for redis:7-alpine.
ARG BASE
FROM ${BASE}
RUN apt-get update \
    && apt-get install --yes --no-install-recommends redis-server \
    && rm -rf /var/lib/apt/lists/* \
    && install --directory --owner=redis /data
WORKDIR /data
VOLUME /data
EXPOSE 6379
CMD ["redis-server"]
