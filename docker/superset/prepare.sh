#!/usr/bin/env bash
# Makes Superset's tables, roles, admin and its connection to the views. Safe to repeat: each command leaves what exists.
set -euo pipefail

superset db upgrade
superset fab create-admin --username admin --firstname Mulgil --lastname Admin --email admin@localhost \
  --password "$SUPERSET_ADMIN_PASSWORD"
superset init
superset set-database-uri --database_name Mulgil --uri "$BI_DATABASE_URL"
