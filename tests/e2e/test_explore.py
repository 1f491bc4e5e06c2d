"""`explore`, and the pages of other commands that have all stages side by side."""

import base64
import gzip
import json
import re

import pytest

LOSS = ("samples.mlp:loss_fn", "-s", "4,784", "-s", "784,10")
NO_BROWSER = {"DISPLAY": "", "WAYLAND_DISPLAY": "", "BROWSER": ""}
STAGES = ["jaxpr", "stablehlo", "hlo"]
MARKUP = "</script><img src=x onerror=alert(1)>"
NET = f"""
import jax.numpy as jnp

def net(x):
    return jnp.sin(x) * 2  # {MARKUP}
"""


def data(page):
    packed = re.search(r'id="data">([^<]*)</script>', page.read_text())[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))


def panes(page):
    return [pane["name"] for pane in data(page)["exploration"]["panes"]]


def test_without_a_browser_the_page_is_named(shell):
    shown = shell("explore", *LOSS, TMPDIR=str(shell.folder), **NO_BROWSER)
    assert shown.returncode == 0 and not shown.stdout
    (page,) = shell.folder.glob("jitinspect-*.html")
    assert f"no browser can be opened here: {page} is the page\n" in shown.stderr
    assert panes(page) == ["samples/mlp.py", *STAGES, "llvm", "asm"]
    assert data(page)["command"] == "jitinspect explore samples.mlp:loss_fn"
    assert page.stat().st_mode & 0o077 == 0


def test_the_browser_gets_the_page(shell):
    script = shell.folder / "browser"
    script.write_text(f'#!/bin/sh\necho "$1" > {shell.folder}/address\n')
    script.chmod(0o755)
    shown = shell("explore", *LOSS, TMPDIR=str(shell.folder), BROWSER=f"{script} %s")
    assert shown.returncode == 0 and not shown.stdout and "no browser" not in shown.stderr
    (page,) = shell.folder.glob("jitinspect-*.html")
    assert (shell.folder / "address").read_text().strip() == page.as_uri()


def test_it_is_one_document_which_view_makes_the_page_of(shell):
    document = json.loads(shell("explore", *LOSS, "--json", "-q").stdout)
    assert (document["command"], len(document["exploration"]["panes"])) == ("explore", 6)
    assert shell("explore", *LOSS, "-o", "report.json").returncode == 0
    assert shell("view", "report.json", "-o", "page.html").returncode == 0
    saved = json.loads((shell.folder / "report.json").read_text())
    assert data(shell.folder / "page.html")["exploration"] == saved["exploration"] == document["exploration"]
    assert shell("explore", *LOSS, "-o", "report.txt").returncode == 0
    assert shell("view", "report.json").stdout == (shell.folder / "report.txt").read_text()


@pytest.mark.parametrize(
    ("command", "first"),
    [
        ("show", "show"), ("source", "source"), ("cost", "cost"), ("profile", "profile"),
        ("compile-time", "compile-time"), ("collectives", "collectives"), ("passes", "passes"),
        ("donation", "donation"), ("sharding", "sharding"), ("constants", "constants"),
    ],
)  # fmt: skip
def test_a_page_has_the_commands_own_text_first(shell, command, first):
    assert shell(command, *LOSS, "-o", "page.html").returncode == 0
    page = shell.folder / "page.html"
    assert panes(page) == [first, "samples/mlp.py", *STAGES]
    made = data(page)["exploration"]
    measured = [one["seconds"] for pane in made["panes"] for one in pane["costs"]]
    assert any(measured) == (command == "profile")
    assert ('<section class="flames">' in page.read_text()) == (command in ("profile", "compile-time"))


@pytest.mark.parametrize("command", ["explore samples.mlp:loss_fn --passes", "passes samples.mlp:loss_fn"])
def test_a_page_of_passes_has_what_each_did_to_each_instruction(shell, command):
    page = shell.folder / "page.html"
    assert shell.sh(f"jitinspect {command} -s 8,8 -s 8,8 -o page.html -q").returncode == 0
    history = data(page)["exploration"]["history"]
    assert "fusion" in [step["pass_"] for step in history["steps"]]
    assert len(history["lines"]) == len(history["sets"]) and history["left_out"] == 0


@pytest.mark.parametrize("command", ["show", "source", "cost", "donation", "sharding", "constants"])
def test_other_output_does_not_know_of_explorations(shell, command):
    assert shell(command, *LOSS, "-o", "report.json").returncode == 0
    assert "exploration" not in json.loads((shell.folder / "report.json").read_text())


def test_a_page_for_a_person_has_the_lines_that_the_text_names(shell):
    assert shell("profile", *LOSS, "-o", "page.html").returncode == 0
    made = data(shell.folder / "page.html")["exploration"]
    lines = made["panes"][0]["text"].split("\n")
    marked = [line for line, number in zip(lines, made["panes"][0]["origins"], strict=True) if number]
    assert any("return jnp.mean(jnp.tanh(x @ w) ** 2)" in line for line in marked)


def test_a_program_full_of_markup(shell):
    (shell.folder / "net.py").write_text(NET)
    assert shell("explore", "net:net", "-s", "4,4", "-o", "page.html").returncode == 0
    page = shell.folder / "page.html"
    assert "<img" not in page.read_text()
    assert MARKUP in data(page)["exploration"]["panes"][0]["text"]


def test_a_file_has_what_it_holds(shell):
    assert shell("hlo", "--raw", *LOSS, "-o", "loss.hlo").returncode == 0
    shown = shell("explore", "loss.hlo", "-o", "page.html")
    assert shown.returncode == 0, shown.stderr
    made = {pane["name"]: pane for pane in data(shell.folder / "page.html")["exploration"]["panes"]}
    assert made["hlo"]["unavailable"] is None and any(made["hlo"]["origins"])
    assert made["jaxpr"]["unavailable"] == "a file has no jaxpr"
    assert made["asm"]["unavailable"] == made["stablehlo"]["unavailable"] != ""


def test_an_error_leaves_no_page(shell):
    shown = shell("explore", "samples.mlp:missing", TMPDIR=str(shell.folder), **NO_BROWSER)
    assert shown.returncode == 3 and not [*shell.folder.glob("*.html")]


def test_a_comparison_as_a_page_has_the_stages_of_both(shell):
    changed = ("diff", *LOSS, "--vs", "-s 8,8 -s 8,16")
    assert shell(*changed, "-o", "page.html").returncode == 0
    page = data(shell.folder / "page.html")
    made = page["exploration"]
    text, source, *stages = made["panes"]
    assert page["title"] == "loss_fn(f32[4,784], f32[784,10]) → loss_fn(f32[8,8], f32[8,16])"
    assert (text["name"], text["text"]) == ("diff", shell(*changed, "-q").stdout.rstrip("\n"))
    assert source["name"] == "samples/mlp.py"
    assert [pane["name"] for pane in stages] == [
        f"{stage} {side}" for stage in ("jaxpr", "stablehlo", "hlo") for side in ("before", "after")
    ]
    for before, after in zip(stages[::2], stages[1::2], strict=True):
        assert before["text"] != after["text"]
        assert {*before["origins"]} & {*after["origins"]} - {0}, "a line of Python marks both"
    assert any(text["origins"]), "instructions are named"


def test_a_comparison_of_saved_reports_is_a_page_without_them(shell):
    assert shell("hlo", *LOSS, "-o", "a.json").returncode == 0
    assert shell("diff", "a.json", "a.json", "-o", "page.html").returncode == 0
    assert "same: hlo of" in (shell.folder / "page.html").read_text()
