#!/usr/bin/env bash
# The contract of the official entrypoint that docker-compose.yaml relies on: an empty volume is filled once, with a
# server that listens on its socket only; then the server itself, never as root.
set -euo pipefail

if [[ $(id -u) -eq 0 ]]; then
  install --directory --owner=postgres --mode=0700 "$(dirname "$PGDATA")" "$PGDATA"
  exec setpriv --reuid=postgres --regid=postgres --init-groups "$0" "$@"
fi

if [[ ! -s "$PGDATA/PG_VERSION" ]]; then
  : "${POSTGRES_PASSWORD:?is missing}"
  initdb --username=postgres --encoding=UTF8 --auth-local=trust --auth-host=scram-sha-256 \
    --pwfile=<(printf '%s\n' "$POSTGRES_PASSWORD") "$PGDATA"
  printf 'host all all all scram-sha-256\n' >>"$PGDATA/pg_hba.conf"
  printf "listen_addresses = '*'\nunix_socket_directories = '/tmp'\n" >>"$PGDATA/postgresql.conf"
  pg_ctl --pgdata "$PGDATA" --wait --options="-c listen_addresses=''" start
  for file in /docker-entrypoint-initdb.d/*.sql; do
    psql --host /tmp --username postgres --set ON_ERROR_STOP=1 --no-psqlrc --file "$file"
  done
  pg_ctl --pgdata "$PGDATA" --mode=fast --wait stop
fi
exec "$@"
