"""The shell of every page: its policy lets its own script run, and nothing else."""

from dataclasses import replace

from jitinspect.render.pages.document import document
from jitinspect.render.pages.programs import to_data
from tests.unit.made import report

MARKUP = "</script><script>document.title = 'broken'</script><img src=x onerror=alert(1)>"


def test_the_script_runs_and_the_data_cannot_break_out(page, tmp_path):
    file = tmp_path / "page.html"
    file.write_text(
        "".join(document(MARKUP, "programs", to_data(replace(report(), program=MARKUP)))), encoding="utf-8"
    )
    page.goto(file.as_uri())
    assert page.title() == MARKUP and page.locator("h1").inner_text() == f"run {MARKUP}"
    assert page.locator("img").count() == 0


def test_the_policy_stops_what_is_not_the_pages_own(page, told, tmp_path):
    file = tmp_path / "page.html"
    text = "".join(document("A page", "programs", to_data(report())))
    foreign = "<script>document.title = 'broken'</script><img src='https://example.com/x.png'>"
    file.write_text(text.replace("<body>", f"<body>{foreign}", 1), encoding="utf-8")
    page.goto(file.as_uri())
    assert page.title() == "A page"
    refused = [one for one in told if "Content Security Policy" in one]
    told.clear()
    assert len(refused) == 2
