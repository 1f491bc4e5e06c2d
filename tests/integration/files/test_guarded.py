"""The process that reads foreign bytes: what damaged files come to, its limits, and that nothing is left of
it.
"""

import gzip
import os
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from jitinspect.errors import LoadError, UsageError
from jitinspect.files.guarded import Limits, carry_out
from jitinspect.files.worker import reading, understood
from tests.support.damaged import OTHERS, outcomes, variants

MAY_BE_READ = ("-twice", "-zeros-in-it")
"""What is behind the end is not looked at, and not every byte matters."""
KINDS = ("step.jaxexport", "open_sizes.jaxexport", "step.mlir", "step.hlo", "step.vhlo")
EXPORTED = Path(__file__).parents[2] / "support" / "exported"


@pytest.fixture(scope="module")
def damaged(tmp_path_factory):
    """Of files whose bytes are the same everywhere, and of other kinds."""
    files = dict(OTHERS)
    for kind in KINDS:
        content = gzip.decompress((EXPORTED / f"{kind}.gz").read_bytes())
        files |= {f"{kind}-{name}": changed for name, changed in variants(content, seed=5)}
    folder = tmp_path_factory.mktemp("damaged")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    (folder / "empty").write_bytes(b"")
    os.mkfifo(folder / "pipe")
    (folder / "folder").mkdir()
    return sorted(folder.iterdir())


def opened_in_few_processes(paths):
    """One, and more where MLIR ends it, as another version may do with damaged bytecode."""
    try:
        return carry_out(partial(outcomes, paths), paths[0], Limits(memory=2**29))
    except LoadError as error:
        if len(paths) == 1:
            return [(paths[0], error.exit_code, error.message)]
    half = len(paths) // 2
    return opened_in_few_processes(paths[:half]) + opened_in_few_processes(paths[half:])


def test_damaged_files_are_told_in_one_line(damaged):
    found = opened_in_few_processes(list(map(str, damaged)))
    assert len(found) == len(damaged) > 140
    assert {code for _, code, _ in found} == {0, 3}
    for path, code, message in found:
        assert code == 0 or (message.startswith((path, "no such")) and "\n" not in message), message
        assert code != 0 or path.endswith(MAY_BE_READ) or "-flip-" in path, f"{path} can be read"


def ends():
    reading()
    os.abort()


def hangs():
    reading()
    time.sleep(600)


def grows():
    reading()
    held = [b"x" * 2**20 for _ in range(2**9)]
    time.sleep(600)
    return held


def works_on():
    reading()
    understood()
    held = b"x" * 2**29
    time.sleep(3)
    return len(held)


def is_wrong():
    raise UsageError("of the work's own", hint="another")


@pytest.mark.parametrize(
    "work, limits, told",
    [
        (ends, Limits(), r"x\.mlir ends the process that reads it \(SIGABRT\)"),
        (hangs, Limits(seconds=0.2), r"x\.mlir takes longer than 0\.2 s to read"),
        (hangs, Limits(start=0), r"x\.mlir takes longer than 0 s to read"),
        (grows, Limits(memory=2**28), r"x\.mlir takes more than 256 MiB of memory to read"),
    ],
)
def test_a_process_that_takes_too_much_is_ended(work, limits, told):
    with pytest.raises(LoadError, match=told):
        carry_out(work, "x.mlir", limits)


def test_limits_end_where_the_bytes_are_understood():
    assert carry_out(works_on, "x.mlir", Limits(seconds=2, memory=2**29)) == 2**29


def test_errors_of_the_work_are_its_own():
    with pytest.raises(UsageError, match="of the work's own") as caught:
        carry_out(is_wrong, "x.mlir")
    assert caught.value.hint == "another"


def prints():
    os.write(2, b"native words\n")
    sys.stderr.write("its own words\n")
    return os.environ["TMPDIR"]


def test_native_chatter_is_kept_apart_and_no_file_is_left(capfd):
    chatter = []
    folder = carry_out(prints, "x.mlir", on_chatter=chatter.append)
    assert chatter == ["native words\n"] and not os.path.exists(folder)
    assert capfd.readouterr().err == "its own words\n"


def test_limits_grow_with_the_file():
    small, large = Limits.of_size(1000), Limits.of_size(100_000_000)
    assert small.seconds < 5 < large.seconds and small.memory < 2 * 2**30 < large.memory
