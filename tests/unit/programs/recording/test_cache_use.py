"""Recordings → what was found in the cache folder, added up."""

from jitinspect.cli.run import decoded
from jitinspect.model.cache_stats import CacheStatsReport
from jitinspect.model.runs import HIT, WRITTEN, DiskLookup
from jitinspect.programs.recording import reader
from jitinspect.programs.recording.cache_use import cache_use
from jitinspect.programs.recording.writer import Recorder
from jitinspect.render.cache import render
from jitinspect.render.json import from_json, to_json
from tests.unit.made import compilation

ENTRY, OTHER = (f"jit_step-{digit * 64}-cache" for digit in "ab")
FAST = "compiled in less than 1 s"
NOTES = {"folder": "/cache", "notes": ["one"]}


def recording(path, *compilations, cache=NOTES):
    recorder = Recorder(path, {"program": "train.py"})
    recorder.cache = lambda: cache
    for one in compilations:
        recorder.on_compilation(one)
    recorder.end(0, None, 1.0, None)
    recorder.close()
    return reader.read(path, decoded)


def looked(*lookups, **more):
    return compilation(lookups=lookups, **more)


def report(tmp_path, *lists, **folder):
    recordings = [recording(tmp_path / f"{n}.jsonl", *those) for n, those in enumerate(lists)]
    return cache_use(recordings, **folder)


def test_all_processes_are_added_up(tmp_path):
    first = [looked(DiskLookup(ENTRY, WRITTEN, 4.0)), looked(DiskLookup(OTHER, FAST, 0.5))]
    second = [looked(DiskLookup(ENTRY, HIT, 3, 0.5)), looked(DiskLookup(OTHER, FAST, 0.25))]
    told = report(tmp_path, first, second, folder="/cache", sizes={ENTRY: 10, "jit_f-1-cache": 7})
    use = told.totals
    assert (use.hits, use.misses, use.written) == (1, 3, 1)
    assert (use.saved_seconds, use.compile_seconds, use.lost_seconds, use.rounded) == (3.5, 4.75, 0.75, 0)
    assert told.not_written == {FAST: 2} and told.notes == ("one",) and told.folders == ("/cache",)
    assert [(one.file, one.outcome, one.present, one.bytes) for one in told.entries] == [
        (ENTRY, HIT, True, 10), (OTHER, FAST, False, None),
    ]  # fmt: skip
    assert (told.unused, told.unused_bytes) == (1, 7)
    ((module, function),) = [(one.module, one.function) for one in told.functions]
    assert (module, function) == ("jit_step", "step")


def test_what_no_recording_has_compiled_is_known_in_whole_seconds(tmp_path):
    told = report(tmp_path, [looked(DiskLookup(ENTRY, HIT, 3, 0.5)), looked(DiskLookup(OTHER, HIT, 0, 0.25))])
    assert told.totals.saved_seconds == 2.25 and told.totals.rounded == 2 and told.unused is None
    assert "at least 2.25 s saved" in "".join(render(told, color=False, width=200))
    assert [one.use.saved_seconds for one in told.entries] == [2.5, -0.25]


def test_recordings_without_names(tmp_path):
    old = [compilation(status="DISK", compilations=0), compilation(disk=(WRITTEN, FAST))]
    told = report(tmp_path, old)
    assert (told.totals.hits, told.totals.misses, told.totals.written) == (1, 2, 1)
    assert told.unnamed == 3 and not told.entries and told.totals.lost_seconds == 0.25


def test_a_report_is_a_document_and_a_text(tmp_path):
    told = report(
        tmp_path,
        [looked(DiskLookup(ENTRY, WRITTEN, 4.0)), looked(DiskLookup(OTHER, FAST, 0.5), kind="internal")],
    )
    assert from_json(to_json(told)) == told and isinstance(told, CacheStatsReport)
    text = "".join(render(told, color=False, width=200))
    assert "jit_step-aaaaaaaa…" in text and "1 recording · 0 of 2 found" in text
    assert "500.0 ms for what was not written" in text and f"1 not written: {FAST}" in text


def test_without_look_ups(tmp_path):
    told = report(tmp_path, [compilation()])
    assert told.totals.hits == told.totals.misses == 0
    assert "0 of 0 found" in "".join(render(told, color=False, width=80))
