"""Files that change, or are links, while a backup writes them."""

import os
import tarfile
from pathlib import Path

import pytest

from scripts.backup.freeze import _link
from scripts.backup.manifest import Manifest, read_manifest, require_whole
from scripts.backup.take import PREFIX, _write, stale_drafts
from scripts.stack.errors import StackError
from scripts.stack.home import Home


def change_around_look(monkeypatch: pytest.MonkeyPatch, victim: Path, *contents: bytes) -> None:
    """Change a file just before and just after the tar file is told its size."""
    look = tarfile.TarFile.gettarinfo

    def look_and_change(self: tarfile.TarFile, *args: object, **kwargs: object) -> tarfile.TarInfo:
        victim.write_bytes(contents[0])
        info = look(self, *args, **kwargs)  # type: ignore[arg-type]
        victim.write_bytes(contents[1])
        return info

    monkeypatch.setattr(tarfile.TarFile, "gettarinfo", look_and_change)


@pytest.fixture
def links(tmp_path: Path) -> Path:
    folder = tmp_path / "links"
    (folder / "landing").mkdir(parents=True)
    (folder / "landing" / "a.jsonl").write_bytes(b"{}\n")
    return folder


def manifest() -> Manifest:
    return Manifest("2013-01-01", "/home", "", "", {})


def test_a_file_that_grows_while_it_is_written_leaves_a_whole_tar(
    links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as patch:
        change_around_look(patch, links / "landing" / "a.jsonl", b"{}\n{}\n", b"{}\n{}\n{}\n")
        _write(links, manifest(), tmp_path / "b.tar", is_tar=True)
    with tarfile.open(tmp_path / "b.tar") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    require_whole(tmp_path / "out", read_manifest(tmp_path / "out"))
    assert (tmp_path / "out" / "landing" / "a.jsonl").read_bytes() == b"{}\n{}\n"


def test_a_file_that_shrinks_while_it_is_written_is_named(links: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    change_around_look(monkeypatch, links / "landing" / "a.jsonl", b"{}\n", b"{")
    with pytest.raises(StackError, match=r"landing/a\.jsonl became shorter .* 1 of 3 bytes"):
        _write(links, manifest(), tmp_path / "b.tar", is_tar=True)


def test_what_a_linked_folder_and_a_linked_file_hold_is_backed_up(tmp_path: Path):
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "deep").mkdir(parents=True)
    (elsewhere / "deep" / "b.jsonl").write_bytes(b"b")
    landing = tmp_path / "home" / "landing"
    landing.mkdir(parents=True)
    (landing / "a.jsonl").symlink_to(elsewhere / "deep" / "b.jsonl")
    (landing / "folder").symlink_to(elsewhere)
    _link(landing, tmp_path / "links" / "landing")
    _write(tmp_path / "links", manifest(), tmp_path / "b.tar", is_tar=True)
    with tarfile.open(tmp_path / "b.tar") as tar:
        tar.extractall(tmp_path / "out", filter="data")
    require_whole(tmp_path / "out", read_manifest(tmp_path / "out"))
    for name in ("a.jsonl", "folder/deep/b.jsonl"):
        assert (tmp_path / "out" / "landing" / name).read_bytes() == b"b"


def test_a_link_that_leads_back_to_its_own_folder_is_refused(tmp_path: Path):
    (tmp_path / "landing").mkdir()
    (tmp_path / "landing" / "again").symlink_to(tmp_path / "landing")
    with pytest.raises(StackError, match="landing/again is a link to a folder that it is in"):
        _link(tmp_path / "landing", tmp_path / "links")


def test_only_drafts_of_backups_that_no_longer_run_are_stale(tmp_path: Path):
    names = (f"{PREFIX}{os.getpid()}-mine", f"{PREFIX}4194305-dead", f"{PREFIX}abcdefgh")
    for name in names:
        (tmp_path / name).mkdir()
    assert [path.name for path in stale_drafts(Home(tmp_path))] == sorted(names[1:])
