import gzip
import io
import lzma
import zlib

import pyarrow as pa
import pytest

from include.engine.formats.decompression import CUT_SHORT, Content, name_foreign, name_packing


def read(stored):
    content = Content(io.BytesIO(stored), piece_bytes=7, head_bytes=64)
    return b"".join(content), content.flaw


def zstd(content):
    held = pa.BufferOutputStream()
    with pa.CompressedOutputStream(held, "zstd") as stream:
        stream.write(content)
    return held.getvalue().to_pybytes()


def pack(content):
    # Without a time inside: every worker makes the same bytes, and names the tests alike.
    return gzip.compress(content, mtime=0)


@pytest.mark.parametrize(
    "stored",
    [
        b"hello\nworld\n",
        pack(b"hello\n") + pack(b"") + pack(b"world\n") + bytes(100),
        b"\x5f\x2a\x4d\x18\x02\0\0\0ab" + zstd(b"hello\n") + zstd(b"world\n"),
    ],
)
def test_what_is_packed_in_parts_is_read_whole(stored):
    assert read(stored) == (b"hello\nworld\n", None)


@pytest.mark.parametrize(
    ("stored", "name"),
    [
        (pack(zstd(b"x" * 99)), "zstd in gzip"),
        (zstd(pack(b"x" * 99)), "gzip in zstd"),
        (pack("a,b\n1,2\n".encode("utf-16")), "UTF-16 in gzip"),
        ("a,b\n1,2\n".encode("utf-32"), "UTF-32"),
        ("a,b\n1,2\n".encode("utf-32-le"), "UTF-32"),
        (gzip.compress("a,b\n1,2\n".encode("utf-32-be"), mtime=0), "UTF-32 in gzip"),
        (zlib.compress(b"x" * 99, 1), "zlib"),
        (lzma.compress(b"x" * 99, lzma.FORMAT_ALONE), "lzma"),
        (b"PK\5\6" + bytes(18), "zip"),
        (b"7z\xbc\xaf\x27\x1c" + b"x" * 99, "7z"),
    ],
)
def test_what_is_no_text_inside_is_given_up_by_its_name(stored, name):
    content, flaw = read(stored)
    assert content == b""
    assert flaw.startswith(f"object is {name}, which is not what the problem's file says")
    advice = f"; write it as UTF-8: iconv -f {name[:6]} -t UTF-8"
    assert flaw.endswith(advice if name.startswith("UTF") else "file says")


@pytest.mark.parametrize("head", [b"", b"a", b'{"a":1}', "\u4e2d\u6587".encode(), bytes(4_096), b"PK,x\n"])
def test_text_and_holes_of_zeros_are_not_taken_for_another_format(head):
    assert (name_foreign(head), name_packing(head)) == (None, None)


@pytest.mark.parametrize(("head", "end"), [(b"a\rb\r", b"\r"), (b"a\r\nb", b"\n"), (b"a\nb\rc", b"\n"), (b"a", b"\n")])
def test_a_line_ends_with_a_carriage_return_only_where_no_line_feed_is(head, end):
    assert Content(io.BytesIO(head)).line_end == end


@pytest.mark.parametrize("pack", [gzip.compress, zstd])
def test_what_stands_before_garbage_is_read(pack):
    assert read(pack(b"a\n") + pack(b"b\n" * 9_000) + b"garbage") == (b"a\n" + b"b\n" * 9_000, CUT_SHORT)
