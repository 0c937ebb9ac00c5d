"""Reads lines of the load balancers of AWS: classic ones (ELB), and those for applications (ALB).

Fields that mean the same as in a web server's log have its names; the others are called as the vendor's pages call
them. What was not reached, and is written as -1, stays -1: `missing: [-1]` in the problem's file makes it missing.
"""

import re

from include.engine.formats.request_fields import Fields, split_address, split_request

_WORD = re.compile(r'"((?:[^"\\]|\\.)*+)"|(\S+)')
_TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z?"
_CLASSIC = re.compile(rf"{_TIME} \S+ \S+ \S+ -?[\d.]+ -?[\d.]+ ")
_APPLICATION = re.compile(rf"(?:https?|h2|grpcs|wss?) {_TIME} ")
_MEASURED = (
    "request_processing_time",
    "target_processing_time",
    "response_processing_time",
    "status",
    "target_status",
    "received_bytes",
    "n_bytes",
    "request",
    "user_agent",
    "ssl_cipher",
    "ssl_protocol",
)
# Source: "Access log entries", User Guide for Classic Load Balancers.
CLASSIC_FIELDS = ("time", "balancer", "client", "target", *_MEASURED)
# Source: "Access log entries", User Guide for Application Load Balancers; later ones were added at the end.
APPLICATION_FIELDS = (
    "connection_type",
    "time",
    "balancer",
    "client",
    "target",
    *_MEASURED,
    "target_group_arn",
    "trace_id",
    "domain_name",
    "chosen_cert_arn",
    "matched_rule_priority",
    "request_creation_time",
    "actions_executed",
    "redirect_url",
    "error_reason",
    "target_port_list",
    "target_status_code_list",
    "classification",
    "classification_reason",
    "conn_trace_id",
)
_FEWEST = 12  # classic lines of before 2015 end with the request


def read_line(line: str) -> Fields | None:
    """Read one line.

    Returns:
        its fields; None where it is no line of a load balancer, or lacks the first fields of one.
    """
    names = APPLICATION_FIELDS if _APPLICATION.match(line) else CLASSIC_FIELDS if _CLASSIC.match(line) else None
    if names is None or line.count('"') % 2:
        return None
    values = [quoted if quoted or not word else word for quoted, word in _WORD.findall(line)]
    if len(values) < _FEWEST + (names is APPLICATION_FIELDS):
        return None
    fields: Fields = {name: None if value in {"-", ""} else value for name, value in zip(names, values, strict=False)}
    client = fields.pop("client") or ""
    host, _, port = client.rpartition(":")
    fields |= {"remote_host": host.strip("[]") or client, "client_port": port if host else None}
    fields |= split_request(fields["request"])
    fields |= split_address(fields["path"])
    if fields.get("domain_name"):
        fields["virtual_host"] = fields["domain_name"]
    return fields
