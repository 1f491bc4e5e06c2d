"""Names of recordings → the recordings: files, folders, globs and URLs. S3 is a server that runs here."""

import logging
import sys
from pathlib import Path

import pytest

from jitinspect.cli.run import decoded
from jitinspect.errors import LoadError, UnavailableError
from jitinspect.programs.recording import merging, sources
from tests.unit.made import compilation
from tests.unit.programs.test_recording import recorded

PROCESSES = 4


def names(*given):
    return [str(source) for source in sources.sources(map(str, given))]


@pytest.fixture
def folder(tmp_path):
    """Recordings of a job in two folders, and files that are none."""
    for process in range(PROCESSES):
        below = tmp_path / "job" / f"host-{process % 2}"
        below.mkdir(parents=True, exist_ok=True)
        told = [("on_compilation", compilation(seq, process=process)) for seq in range(3)]
        recorded(below / f"rec-{process}.jsonl", told, job=(process, PROCESSES))
    (tmp_path / "job" / "notes.txt").write_text("none")
    (tmp_path / "job" / "rec.jsonl").mkdir()
    return tmp_path / "job"


def test_a_folder_has_the_recordings_below_it_by_name(folder):
    inside = [f"{folder}/host-{process % 2}/rec-{process}.jsonl" for process in (0, 2, 1, 3)]
    assert names(folder) == inside
    assert names(folder / "host-1", folder) == [*inside[2:], *inside[:2]]  # where it is first named


def test_a_glob_has_its_matches_and_what_is_below_them(folder):
    assert names(f"{folder}/*/rec-[12].jsonl") == names(f"{folder}/host-?/rec-[12]*")
    assert names(f"{folder}/*/rec-[12].jsonl") == [
        f"{folder}/{name}.jsonl" for name in ("host-0/rec-2", "host-1/rec-1")
    ]
    assert names(f"{folder}/host-*") == names(folder) == names(f"{folder}/**/rec-?.jsonl")
    assert names(f"{folder}/not*") == [f"{folder}/notes.txt"], "whoever names a file means it"


def test_a_file_whose_name_looks_like_a_glob_is_a_file(folder):
    odd = (folder / "host-0" / "rec-0.jsonl").rename(folder / "rec-[0].jsonl")
    assert names(odd) == [str(odd)]


@pytest.mark.parametrize("name", ["host-2*", "host-0/rec-[5-9].jsonl", "rec.jsonl"])
def test_a_name_with_no_recordings_is_told(folder, name):
    with pytest.raises(LoadError, match="no recordings there") as told:
        names(folder / name)
    assert str(folder / name) in told.value.message and ".jsonl" in told.value.hint


def test_a_file_that_is_not_there_is_told_when_it_is_read(tmp_path):
    with pytest.raises(LoadError, match=r"none\.jsonl cannot be read: No such file"):
        merging.summarize_recordings(sources.sources([str(tmp_path / "none.jsonl")]), decoded)


# URLs


@pytest.fixture
def in_memory(folder):
    fsspec = pytest.importorskip("fsspec")
    there = fsspec.filesystem("memory")
    there.put(str(folder), "/job", recursive=True)
    yield there
    there.rm("/job", recursive=True)


@pytest.fixture(scope="module")
def bucket():
    """An empty bucket on a server of S3, as the options of fsspec."""
    pytest.importorskip("s3fs")
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0, verbose=False)
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def s3(bucket, folder, monkeypatch):
    import fsspec

    monkeypatch.setenv("AWS_ENDPOINT_URL", bucket)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    there = fsspec.filesystem("s3")
    there.mkdir("fleet")
    there.put(str(folder), "fleet/job", recursive=True)
    yield there
    there.rm("fleet", recursive=True)
    fsspec.filesystem("s3").clear_instance_cache()


def same(there, here):
    """The reports are the same but for the names of files."""
    told = [merging.summarize_recordings(sources.sources([name]), decoded) for name in (there, str(here))]
    return told[0] == told[1] and len(told[0].processes) == PROCESSES


def test_a_url_is_read_like_a_folder(folder, in_memory):
    assert same("memory://job", folder) and same("memory://job/host-*", folder)
    assert same("memory://job/*/rec-*.jsonl", folder) and same(f"file://{folder}", folder)
    assert names("memory://job/host-0") == [f"memory:///job/host-0/rec-{n}.jsonl" for n in (0, 2)]
    assert names("memory://job/host-1/rec-1.jsonl") == ["memory:///job/host-1/rec-1.jsonl"]


def test_s3_is_read_like_a_folder(folder, s3):
    assert same("s3://fleet/job", folder) and same("s3://fleet/job/host-*/rec-*.jsonl", folder)
    assert names("s3://fleet/job/host-0") == [f"s3://fleet/job/host-0/rec-{n}.jsonl" for n in (0, 2)]
    with pytest.raises(LoadError, match="s3://fleet/none cannot be read: "):
        names("s3://fleet/none")


def test_s3_that_does_not_answer_is_told(folder, s3, monkeypatch):
    def refused(*_, **__):
        raise ConnectionError("refused\nand more")

    monkeypatch.setattr(s3, "cat_ranges", refused)
    with pytest.raises(LoadError, match=r"^s3://fleet/job/host-0/rec-0.jsonl cannot be read: refused$"):
        names("s3://fleet/job")


def test_a_url_with_nothing_there_is_told(in_memory):
    for url in ("memory://job/none", "memory://job/*.none"):
        with pytest.raises(LoadError, match=r": no recordings there| cannot be read: ") as told:
            names(url)
        assert told.value.message.startswith(url)


@pytest.mark.parametrize("at_once", [1, 3000, 6000])
def test_few_bytes_are_kept_however_many_there_are(folder, in_memory, monkeypatch, at_once):
    """Files that are larger than what is kept are read to the disk, a piece at a time."""
    monkeypatch.setattr(sources, "AT_ONCE", at_once)
    whole, piece, got = in_memory.cat_ranges, in_memory.cat_file, []

    def of_files(*given, **options):
        got.append(b"".join(contents := whole(*given, **options)))
        return contents

    def of_one(*given):
        got.append(contents := piece(*given))
        return contents

    monkeypatch.setattr(in_memory, "cat_ranges", of_files)
    monkeypatch.setattr(in_memory, "cat_file", of_one)
    assert same("memory://job", folder)
    assert got and max(map(len, got)) <= at_once


def test_a_recording_that_is_read_twice_is_fetched_to_where_it_can_be(in_memory, folder, monkeypatch):
    monkeypatch.setattr(sources, "AT_ONCE", 100)
    (source, *_) = sources.sources(["memory://job/host-0"])
    for _ in range(2):
        with source.open("rb") as file:
            assert file.seekable() and file.read() == (folder / "host-0" / "rec-0.jsonl").read_bytes()


@pytest.mark.parametrize(
    ("url", "missing", "hint"),
    [
        ("s3://fleet/job", "fsspec.core", "pip install 'jitinspect[fleet]' s3fs"),
        ("gs://fleet/job", "gcsfs", "pip install 'jitinspect[fleet]' gcsfs"),
        ("memory://job", "fsspec.core", "pip install 'jitinspect[fleet]'"),
    ],
)
def test_a_missing_package_is_told_with_what_to_install(url, missing, hint, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(UnavailableError, match=url) as told:
        names(url)
    assert told.value.hint == hint and told.value.exit_code == 6


def test_a_scheme_that_is_unknown_is_told():
    pytest.importorskip("fsspec")
    with pytest.raises(LoadError, match=r"^nonesuch://job cannot be read: .*nonesuch"):
        names("nonesuch://job")


def test_a_name_that_is_no_url_imports_nothing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "fsspec", None)
    assert len(names(folder, Path("C:/none.jsonl"))) == PROCESSES + 1
