"""A folder that is not a local one, reached as JAX reaches it."""

import pytest

from jitinspect.errors import LoadError, UnavailableError
from jitinspect.files.cache import listing, remote
from jitinspect.files.cache.pruning import Choice, prune
from jitinspect.files.cache.verification import verified
from tests.support.cache_entries import write


@pytest.fixture
def bucket(tmp_path, monkeypatch):
    """A folder here, as `etils.epath` would show one of a bucket."""
    from etils.epath import Path

    def path(text):
        return _Shown(Path(f"{tmp_path}{text.removeprefix('gs://bucket')}"))

    monkeypatch.setattr(remote, "_path", path)
    return tmp_path


class _Shown:
    def __init__(self, path):
        self.name, self._path = path.name, path

    def iterdir(self):
        return map(_Shown, self._path.iterdir())

    def read_bytes(self):
        return self._path.read_bytes()

    def stat(self):
        return self._path.stat()


def test_entries_of_a_bucket_are_listed(bucket):
    here = bucket / "cache"
    here.mkdir()
    write(here, "jit_step", age=3600, used=60, seconds=3)
    write(here, "jit_cut", content=b"\x78\x9c\x01", age=3600)
    cut, step = listing.contents("gs://bucket/cache").entries
    assert (step.module, step.compile_seconds, step.state) == ("jit_step", 3, "sound")
    assert abs(step.age_seconds - 3600) < 60 and abs(step.used_seconds - 60) < 60
    assert (cut.module, cut.state) == ("jit_cut", "damaged")


def test_what_cannot_be_listed_is_an_error_with_what_to_install(monkeypatch):
    with pytest.raises(UnavailableError, match=r"etils\.epath does not know file://"):
        listing.contents("file:///tmp")
    monkeypatch.setattr(remote, "has_epath", lambda: False)
    with pytest.raises(UnavailableError) as raised:
        listing.contents("gs://no/cache")
    assert raised.value.hint == "pip install 'etils[epath]'"


def test_a_bucket_that_fails_is_an_error(bucket):
    with pytest.raises(LoadError, match="gs://bucket/none cannot be listed"):
        listing.contents("gs://bucket/none")


def test_only_local_folders_are_verified_and_pruned():
    for act in (verified, lambda folder: prune(folder, Choice(keep=0), True, False)):
        with pytest.raises(UnavailableError, match="works on local folders"):
            act("gs://bucket/cache")
