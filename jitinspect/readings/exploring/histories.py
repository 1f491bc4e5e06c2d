"""The history of the HLO, with origins by which its lines belong to those of all texts."""

from __future__ import annotations

from dataclasses import replace

from jitinspect.ir.origins import Origins
from jitinspect.model.pass_histories import PassHistory
from jitinspect.readings.exploring.origin_table import OriginTable
from jitinspect.readings.pass_histories.recorder import Recorder

MOST_TEXT = 12_000_000
"""Letters of all lines: about 2 MB of a page. Of more, the first passes are left out."""


def with_sets(recorder: Recorder, origins: Origins, table: OriginTable) -> PassHistory:
    """`origins` are those of the compiled HLO. A line has an index into `Exploration.sets`, by what its
    metadata alone says.
    """
    history = recorder.history(MOST_TEXT)
    sets = [table.set_of(origins.of_metadata(*one)) for one in recorder.metadata]
    return replace(history, sets=tuple(sets[number] for number in history.origins))
