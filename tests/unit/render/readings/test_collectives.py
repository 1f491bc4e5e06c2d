"""`collectives` as text: a pure function of its report."""

import re
from dataclasses import replace

import pytest

from jitinspect.model import Target
from jitinspect.model.communication import Collective, CollectivesReport, LinkSpeed, MeshShape, Moved
from jitinspect.render import readings
from jitinspect.render.json import from_json, to_json

MESH = MeshShape(("data", "model"), (4, 2))
SUM = Collective(
    "all-reduce", "sum.1", "net.py", 5, ("data",), 4, 4096, 4096, 6144, 1, "user",
    type="f32[1024]", lines=("net.py:5",), line_bytes=(6144,), primitive="psum", value="reduce_sum",
)  # fmt: skip
GATHER = Collective(
    "all-gather", "gather.1", "net.py", 6, ("data", "model"), 8, 512, 4096, 3584, 7, "partitioner",
    counted_runs=7, type="f32[128,8]", lines=("net.py:6", "net.py:7"), line_bytes=(3000, 584),
    primitive="dot_general", value="params['layers'][0]['w']", before="P('data', None)", after="P()",
)  # fmt: skip


def report(*rows, meshes=(MESH,), **more):
    target = Target("net:f", "net", "f", "net.py", 4, signature="f(f32[128,64])")
    moved = sum(row.moved_bytes for row in rows)
    line = Moved("net.py:5", 1, 1, moved, text="return lax.psum(x, 'data')")
    total = Moved("all-reduce", len(rows), 1, moved)
    sums = {"by_kind": (total,), "by_axes": (replace(total, name=""),), "by_line": (line,)}
    return CollectivesReport("collectives", target, rows, moved, meshes=meshes, **(sums | more))


def text(*rows, width=80, color=False, verbose=False, **more):
    return "".join(readings.render(report(*rows, **more), color, width, verbose))


def test_the_sums_come_first():
    assert text(SUM).split("\n")[:5] == [
        "f(f32[128,64])",
        "mesh data=4, model=2",
        "each device moves 6.14 kB to others, in 1 collective",
        "by kind  all-reduce 6.14 kB",
        "by axes  along no axis 6.14 kB",
    ]


def test_a_row_says_what_moves_how_often_and_for_which_line():
    rows = text(SUM, GATHER).split("\n")
    assert any(re.match(r"25\.1 kB +7 +512 B +4\.10 kB +all-gather +data,model +para…", row) for row in rows)
    assert any(re.match(r"6\.14 kB +1 +4\.10 kB .* psum…e_sum +net.py:5$", row) for row in rows)


def test_a_wide_table_says_who_asked_and_between_which_shardings():
    wide = text(SUM, GATHER, width=160)
    assert re.search(r"net.py:6, 7 +partitioner P\('data', None\) → P\(\)\n", wide)
    assert re.search(r"net.py:5 +psum\n", wide) and "asked for by" in wide and "asked" not in text(SUM)
    assert "partitioner for dot_general\n" in text(replace(GATHER, after=None), width=160)


def test_layers_are_one_row_with_their_number():
    layers = [
        replace(GATHER, instruction=f"gather.{n}", instructions=(f"gather.{n}",), value=f"layers[{n}]['w']")
        for n in range(3)
    ]
    assert re.search(r"^75\.3 kB +21 ", text(*layers), re.MULTILINE)


@pytest.mark.parametrize(
    ("changes", "times", "note"),
    [
        ({"runs": None}, "7?", "?: in a loop that ends when data say so"),
        ({"in_branch": True}, "7*", "*: in a branch of a conditional"),
        ({"runs": None, "in_branch": True}, "7?*", "*: in a branch of a conditional"),
    ],
)
def test_what_data_decide_is_marked_and_explained(changes, times, note):
    told = text(replace(GATHER, **changes))
    assert f"25.1 kB    {times}  " in re.sub(" +(?=7)", "    ", told) and note in told
    assert note not in text(GATHER)


def test_with_links_there_is_the_least_time():
    link = LinkSpeed("TPU v5 lite", 200_000_000_000, "a page")
    told = text(replace(SUM, seconds=3e-8), links=(link,))
    assert "each device moves 6.14 kB to others (≥ " in told and "(a page)" in " ".join(told.split())


def test_verbose_names_the_instructions_and_what_runs_meanwhile():
    one = replace(SUM, instructions=("sum.1", "sum.2"), overlaps=("fusion.3",))
    told = text(one, verbose=True)
    assert "sum.1, sum.2\n  all-reduce of f32[1024], 1 group of 4\n  meanwhile: fusion.3\n" in told
    assert "all-reduce ∥" in text(one) and "meanwhile: nothing" in text(
        replace(one, overlaps=()), verbose=True
    )


def test_a_hint_is_told_once():
    hinted = replace(GATHER, hint="jnp.take would move less")
    assert text(hinted, replace(hinted, bytes_in=7)).count("hint  net.py:6: jnp.take would move less\n") == 1


def test_each_call_of_a_sweep_has_its_heading():
    told = text(replace(SUM, signature="f(f32[64])"), replace(SUM, signature="f(f32[128])"))
    assert "\nf(f32[64])\n" in told and "\nf(f32[128])\n" in told and "2 collectives of 2 calls\n" in told


def test_nothing_moves():
    assert "nothing moves between devices" in text(by_kind=(), by_axes=(), by_line=())


@pytest.mark.parametrize("width", [80, 100, 160])
def test_nothing_is_wider_than_the_terminal(width):
    long = replace(
        GATHER, value="params['layers'][0]['attention']['query']['kernel_of_a_long_name']", hint="x " * 90
    )
    told = text(SUM, replace(long, lines=(f"{'a/rather/long/path' * 3}/net.py:6",)), width=width)
    assert max(map(len, told.splitlines())) <= width


def test_colours_are_all_that_colour_adds():
    coloured = text(SUM, GATHER, color=True)
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == text(SUM, GATHER) != coloured


def test_a_report_is_read_back():
    made = report(SUM, replace(GATHER, overlaps=("a",)))
    assert from_json(to_json(made)) == made
