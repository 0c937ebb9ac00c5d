"""An S3 server for tests behind the store's health check: moto, and `GET /health`."""

import sys

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple
from werkzeug.wrappers import Response

buckets = DomainDispatcherApplication(create_backend_app)


def answer(environ, start_response):  # type: ignore[no-untyped-def]
    """Say that all is well where that is asked; everything else is S3."""
    if environ["PATH_INFO"] == "/health":
        return Response("ok")(environ, start_response)
    return buckets(environ, start_response)


if __name__ == "__main__":
    if sys.argv[1:2] != ["posix"]:
        sys.exit("The store's image is asked for `posix FOLDER`.")
    run_simple("0.0.0.0", 9000, answer, threaded=True)  # noqa: S104
