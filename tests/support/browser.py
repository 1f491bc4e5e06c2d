"""A page in a real browser, without a display, a driver or a network."""

import html
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

_NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
_RUN = """
<script>
const errors = [];
addEventListener("error", (event) => errors.push(event.message));
addEventListener("load", () => setTimeout(async () => {
  let value = null;
  try { value = await (async () => { %s })(); } catch (error) { errors.push(String(error)); }
  const told = document.createElement("pre");
  told.id = "told";
  told.textContent = JSON.stringify({ value, errors });
  document.body.replaceChildren(told);
}, 100));
</script>
"""


def told_by(page: str, script: str, folder: Path, width: int = 1200) -> object:
    """What a script returns that runs in the page once that is shown, `width` pixels wide. Fails if either
    throws; skips where there is no browser.
    """
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        pytest.skip("no Chromium is installed")
    file = folder / "page.html"
    file.write_text(page.replace("<body>", "<body>" + _RUN % script, 1), encoding="utf-8")
    command = [
        browser, "--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=5000", "--dump-dom",
        "--host-resolver-rules=MAP * ~NOTFOUND", f"--window-size={width},800",
        f"--user-data-dir={folder / 'browser'}", file.as_uri(),
    ]  # fmt: skip
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300)
    found = re.search(r'<pre id="told">(.*?)</pre>', finished.stdout, re.DOTALL)
    assert found, finished.stderr
    told = json.loads(html.unescape(found[1]))
    assert not told["errors"], told["errors"]
    return told["value"]
