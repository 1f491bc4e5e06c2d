"""The explorer's page of a large program in Chromium: `python tests/bench/explorer.py [TARGET OPTIONS…]`.

By the browser's own clock, medians: the first paint, the time from a click to the picture that shows what
belongs to the line, and the heap after it. Without a target, of a transformer's training step with 24 layers:
26,000 lines of HLO. Exits 1 where one is over its limit, or where the page is larger than 1.3 times its
texts, gzipped and in base64, plus 700 kB.
"""

import base64
import gzip
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT))

from tests.bench.rows import head, row  # noqa: E402
from tests.browser.conftest import executable  # noqa: E402
from tests.browser.explorations import write  # noqa: E402

ROUNDS, CLICKS = 5, 12
STEP = "samples.transformer:train_step", "--args-from", "samples.transformer:make_args"
LIMITS = {"first paint, ms": 1000, "click, ms": 50, "heap, MB": 250}

FIRST_PAINT = """() => new Promise((done) => new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntriesByName("first-contentful-paint")) done(startTime);
}).observe({ type: "paint", buffered: true }))"""
PAINTED = """() => new Promise((done) => {
    addEventListener("click", ({ timeStamp }) => requestAnimationFrame(() => {
        const painted = new MessageChannel();
        painted.port1.onmessage = () => done(performance.now() - timeStamp);
        painted.port2.postMessage(0);
    }), { once: true });
})"""


def explored(command):
    """What `explore` says of a target."""
    jitinspect = [sys.executable, "-m", "jitinspect", "explore", *command, "--json", "-q"]
    return json.loads(subprocess.run(jitinspect, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)[
        "exploration"
    ]


def gzipped(exploration):
    """The size of the texts, as a page could have them at best."""
    texts = "\0".join(one["text"] for one in exploration["panes"])
    return len(base64.b64encode(gzip.compress(texts.encode(), 9)))


def clicks(page):
    """Milliseconds, of lines of Python and of the last text in turns."""
    last = page.locator(".pane").count() - 1
    for number in range(CLICKS):
        lines = page.locator(".pane").nth(0 if number % 2 else last).locator(".cm-line")
        waiting = page.evaluate_handle(f"({{painted: ({PAINTED})()}})")
        lines.nth(5 + number).click(position={"x": 30, "y": 6})
        yield page.evaluate("({ painted }) => painted", waiting)


def measured(browser, address):
    """First paint, clicks, heap of a page that is opened for the first time."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    page.goto(address)
    paint = page.evaluate(FIRST_PAINT)
    page.locator(".cm-line").first.wait_for()
    linked = statistics.median(clicks(page))
    session = context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    heap = sum(size for name, size in session.send("Runtime.getHeapUsage").items() if name != "totalSize")
    context.close()
    return paint, linked, heap / 1e6


def main(command):
    exploration = explored(command)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        address = write(Path(folder), exploration)
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        rounds = [measured(browser, address) for _ in range(ROUNDS)]
        size = (Path(folder) / "x.html").stat().st_size
    head("is", "at most")
    medians = map(statistics.median, zip(*rounds, strict=True))
    most = LIMITS | {"file, kB": 1.3 * gzipped(exploration) / 1e3 + 700}
    held = [
        row(name, f"{value:.1f}", f"{limit:.1f}", ratio=value / limit, limit=1)
        for (name, limit), value in zip(most.items(), (*medians, size / 1e3), strict=True)
    ]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:] or STEP))
