"""How a message leaves the house: Airflow's notifier for mail, and one for webhooks, each asked once.

Not a DAG file (`.airflowignore` lists it). Addresses of servers and what is secret of them are Airflow connections. A
text is never read as a template: it may hold what somebody typed.
"""

import json
from functools import cached_property
from html import escape
from http.client import BadStatusLine, InvalidURL
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import HTTPRedirectHandler, Request, build_opener

from airflow.providers.smtp.hooks.smtp import SmtpHook
from airflow.providers.smtp.notifications.smtp import SmtpNotifier
from airflow.sdk import BaseNotifier, Connection
from airflow.sdk.exceptions import AirflowException

from include.monitoring.contracts import WEBHOOK, Message

# For each answer of a server; who asks has a limit for all of them together.
LONGEST_ANSWER_S = 10


class OneAttempt(SmtpHook):
    """A connection to a mail server that is tried once: a second try within one could deliver a mail twice."""

    smtp_retry_limit = 0

    @property
    def timeout(self) -> int:
        """Give the seconds for each answer; a connection may ask for less than ours."""
        return min(int(self.conn.extra_dejson.get("timeout", LONGEST_ANSWER_S)), LONGEST_ANSWER_S)


class MailNotifier(SmtpNotifier):
    """Airflow's notifier for mail, over a connection that is tried once."""

    @cached_property
    def hook(self) -> SmtpHook:
        """Open the mail connection that Airflow's `[email] email_conn_id` names."""
        return OneAttempt(smtp_conn_id=self.smtp_conn_id, auth_type=self.auth_type)


class WebhookNotifier(BaseNotifier):
    """Posts a JSON document to the address of an Airflow connection.

    The connection's host (with or without `https://`), port, and `path` in its extra make the address; its password,
    where there is one, is sent as a bearer token. Anything but an answer of 200 to 299 is a refusal, a redirect, too.

    Args:
        connection_id: of the connection.
        document: what is sent.
        key: the same when the document is sent again (header `Idempotency-Key`).
    """

    def __init__(self, connection_id: str, document: dict[str, Any], key: str) -> None:
        super().__init__()
        self.connection_id = connection_id
        self.document = document
        self.key = key

    def notify(self, context: Any) -> None:  # noqa: ARG002 - Airflow's signature
        """Post it.

        Whatever a library says of an address or a token may quote it, and what is raised here is kept and shown: only
        the connection is named.

        Raises:
            AirflowException: the server refused it, does not speak HTTP, or the connection cannot be used.
            OSError: nobody answered in time.
        """
        try:
            with build_opener(_NoRedirect()).open(self._request(), timeout=LONGEST_ANSWER_S):
                return
        except HTTPError as error:
            status = error.code
            error.close()
        except (ValueError, InvalidURL):
            flaw = f"Connection {self.connection_id} has an address or a password that cannot be sent."
            raise AirflowException(flaw) from None
        except BadStatusLine as error:
            if isinstance(error, OSError):  # it hung up
                raise
            raise AirflowException(f"The server of connection {self.connection_id} does not speak HTTP.") from None
        raise AirflowException(f"The server of connection {self.connection_id} answered {status}.")

    def _request(self) -> Request:
        """Write what is posted.

        Raises:
            AirflowException: Airflow has no such connection, or its address is not one of http.
            ValueError: it cannot be sent.
        """
        connection = Connection.get(self.connection_id)
        headers = {"Content-Type": "application/json", "Idempotency-Key": quote(self.key, safe="/")}
        if password := (connection.password or "").strip():
            headers["Authorization"] = f"Bearer {password}"
        body = json.dumps(self.document).encode()
        return Request(address_of(connection), body, headers, method="POST")  # noqa: S310 - checked by address_of


class _NoRedirect(HTTPRedirectHandler):
    """Leaves a redirect what it is: a message and its token go where the connection says, and nowhere else."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


def address_of(connection: Connection) -> str:
    """Put together the address of a webhook.

    Raises:
        AirflowException: it is not one of http or https.
    """
    host = connection.host or ""
    base = host if "://" in host else f"{connection.schema or 'https'}://{host}"
    if not host or not base.startswith(("http://", "https://")):
        raise AirflowException(f"Connection {connection.conn_id} has no host, or one that is not http or https.")
    port = f":{connection.port}" if connection.port else ""
    # Quoted, or a space in it would be an error that quotes the address, which may be secret.
    path = quote(str(connection.extra_dejson.get("path", "")), safe="/:?=&%~+,;@")
    return f"{base.rstrip('/')}{port}/{path.lstrip('/')}"


def send_message(message: Message) -> None:
    """Give a message to its notifier.

    Raises:
        AirflowException: the server refused it, Airflow has no such connection, or the subject is not one line, which
            the mail library would take for a letter's further head and its body.
        OSError: nobody answered in time.
    """
    if not message.subject.isprintable():
        raise AirflowException("The subject of a message is not one line of text.")
    if message.channel == WEBHOOK:
        document = {"text": message.text, "subject": message.subject, **message.facts}
        WebhookNotifier(message.connection, document, message.key).notify({})
        return
    # Airflow's notifier sends HTML; in it the lines stay as they were broken.
    html = f"<pre>{escape(message.text)}</pre>"
    headers = {"X-Mulgil-Message": quote(message.key, safe="/"), "Auto-Submitted": "auto-generated"}
    to = list(message.addresses)
    notifier = MailNotifier(to=to, subject=message.subject, html_content=html, custom_headers=headers)
    notifier.notify({})
