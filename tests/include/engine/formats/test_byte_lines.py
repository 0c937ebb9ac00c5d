import io

import pytest

from include.engine.formats.byte_lines import read_lines
from include.engine.formats.decompression import Content


def read(content, max_bytes=100, **more):
    found = []
    for lines in read_lines(Content(io.BytesIO(content)), max_bytes, **more):
        texts = lines.texts.to_pylist()
        found += [(n, text, lines.flaws.get(i)) for i, (n, text) in enumerate(zip(lines.numbers, texts, strict=True))]
    return found


def test_blank_lines_count_and_are_given_only_where_they_are_content():
    content = b"a\n \t \n\nb\n"
    assert [(n, text) for n, text, _ in read(content)] == [(1, "a\n"), (4, "b\n")]
    assert [n for n, *_ in read(content, is_raw=True)] == [1, 2, 3, 4]


@pytest.mark.parametrize("kept", ["\ufffb", "\xa0x", "\uff21"])
def test_a_line_that_starts_like_a_mark_is_kept(kept):
    assert read(f"{kept}\n".encode()) == [(1, f"{kept}\n", None)]


def test_marks_between_files_are_no_part_of_a_line_unless_quotes_may_hold_them():
    content = b"a\n\xef\xbb\xbf\xef\xbb\xbfb\n\xef\xbb\xbf\nc\xef\xbb\xbf\n"
    assert read(content) == [(1, "a\n", None), (2, "b\n", None), (4, "c\ufeff\n", None)]
    assert read(content, is_raw=True)[1][1] == "\ufeff\ufeffb\n"


def test_one_long_line_among_short_ones_comes_as_its_beginning():
    found = read(b"a\n" + b"x" * 2_000 + b"\nb\n" + b"y" * 2_000)
    assert [(n, len(text), flaw is not None) for n, text, flaw in found] == [
        (1, 2, False),
        (2, 1_000, True),
        (3, 2, False),
        (4, 1_000, True),
    ]
