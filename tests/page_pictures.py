"""The README's pictures of a page: of the real page of the real command, in Chromium.

`python tests/pictures.py` makes them again. Pixels are another browser's or font's matter. So what a picture
notes is the digest of what its page shows, and `tests/browser/test_pictures.py` holds that it is current.
"""

import base64
import hashlib
import json
import os
import subprocess
import sys
from array import array
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.conftest import executable
from tests.support import png
from tests.support.pages import data_of

ROOT = Path(__file__).resolve().parent.parent
_OF_A_PROCESSOR = ("llvm", "asm")
"""Languages whose texts are not the same for every x86-64 processor."""
_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
_PIXELS = """async (png) => {
    const bytes = Uint8Array.from(atob(png), (one) => one.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes]));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d");
    canvas.drawImage(bitmap, 0, 0);
    const { data } = canvas.getImageData(0, 0, bitmap.width, bitmap.height);
    return new Uint32Array(data.buffer).join(" ");
}"""


@dataclass(frozen=True)
class PagePicture:
    """A command that writes a page, and what is asked of that page: a line that is chosen, and heat."""

    name: str
    command: str
    fragment: str
    scheme: Literal["light", "dark"]

    @property
    def path(self) -> Path:
        return ROOT / "docs" / f"{self.name}.png"


PICTURES = (
    PagePicture(
        "explorer",
        "jitinspect explore samples.mlp:sgd_step --args-from samples.mlp:make_args",
        "#at=samples/mlp.py:16&heat=flops",
        "light",
    ),
    PagePicture(
        "explorer-cost",
        "jitinspect cost samples.transformer:attention --shape 4,128,256 "
        "--arg \"{'qkv': f32[256,768], 'out': f32[256,256]}\"",
        "#at=samples/transformer.py:43&heat=bytes",
        "dark",
    ),
)


@dataclass(frozen=True)
class ProgramPicture:
    """A command that writes a page on a program, and how the picture of it is taken."""

    name: str
    command: str
    size: tuple[int, int]
    scheme: Literal["light", "dark"]
    fragment = ""

    @property
    def path(self) -> Path:
        return ROOT / "docs" / f"{self.name}.png"


LAST_BATCH = "samples/recompiles/last_batch.py"
PROGRAMS = (
    ProgramPicture("page-run", f"jitinspect run -q -o $0 {LAST_BATCH}", (1440, 900), "light"),
    ProgramPicture(
        "page-trace-cache", "jitinspect trace-cache samples/seed.calls -q -o $0", (1024, 768), "dark"
    ),
    ProgramPicture(
        "page-summary",
        f"jitinspect run -q --record $0.jsonl {LAST_BATCH} && jitinspect summary $0.jsonl -q -o $0",
        (360, 740),
        "light",
    ),
)


def write_page(picture: PagePicture | ProgramPicture, folder: Path) -> Path:
    """The page that the command of this environment makes now. Raises where it fails."""
    file = folder / f"{picture.name}.html"
    is_program = isinstance(picture, ProgramPicture)
    command = picture.command if is_program else f'{picture.command} -q -o "$0"'
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("JAX_", "XLA_"))}
    subprocess.run(
        ["bash", "-c", command, str(file)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        env={**environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},
        check=True,
    )
    return file


def exploration_of(file: Path) -> dict[str, Any]:
    """What the page shows, as JSON."""
    return data_of(file.read_text(encoding="utf-8"))["exploration"]


def digest(exploration: dict[str, Any]) -> str:
    """Of all that is the same on every x86-64 processor."""
    sets = exploration["sets"]
    panes = [
        {**pane, "origins": [sets[number] for number in pane["origins"]]}
        for pane in exploration["panes"]
        if pane["language"] not in _OF_A_PROCESSOR
    ]
    shown = {name: exploration[name] for name in ("files", "places", "origins")} | {"panes": panes}
    return hashlib.sha256(json.dumps(shown, sort_keys=True).encode("utf-8")).hexdigest()


def digest_of_program(file: Path) -> str:
    """Of what a page on a program says, but for times, and what is sorted by them."""
    data = data_of(file.read_text(encoding="utf-8"))
    names = ("command", "statuses", "functions", "sites", "causes", "signatures", "reasons", "differences")
    shown = json.dumps([data[name] for name in names], sort_keys=True)
    return hashlib.sha256(shown.encode("utf-8")).hexdigest()


@contextmanager
def opened(
    browser: Browser,
    file: Path,
    picture: PagePicture | ProgramPicture,
    scheme: Literal["light", "dark"],
    width=1440,
    height=900,
) -> Iterator[Page]:
    """The page once it shows what the picture asks for."""
    context = browser.new_context(
        viewport={"width": width, "height": height}, color_scheme=scheme, offline=True
    )
    page = context.new_page()
    page.goto(file.as_uri() + picture.fragment)
    page.locator(".cm-line.strong, tbody tr").first.wait_for()
    page.evaluate(_FRAMES)
    yield page
    context.close()


def made(browser: Browser, picture: PagePicture | ProgramPicture, folder: Path) -> bytes:
    """The PNG, small."""
    file = write_page(picture, folder)
    is_program = isinstance(picture, ProgramPicture)
    width, height = picture.size if is_program else (1440, 900)
    note = digest_of_program(file) if is_program else digest(exploration_of(file))
    with opened(browser, file, picture, picture.scheme, width, height) as page:
        taken = base64.b64encode(page.screenshot(animations="disabled")).decode("ascii")
    with closing(browser.new_page()) as page:
        pixels = array("I", map(int, page.evaluate(_PIXELS, taken).split()))
    return png.with_palette(pixels, width, note)


def make_all() -> Iterator[Path]:
    """Writes all pictures; their files."""
    with TemporaryDirectory() as folder, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable(), args=["--no-sandbox"])
        for picture in (*PICTURES, *PROGRAMS):
            picture.path.write_bytes(made(browser, picture, Path(folder)))
            yield picture.path
