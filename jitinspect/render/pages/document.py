"""One HTML file with its script, its style and its data: it asks nobody for anything."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Iterable, Iterator
from html import escape
from importlib import resources

_WITHOUT_SCRIPT = "This page needs JavaScript. `-o report.txt` and `-o report.json` have the same as text."


def document(
    title: str,
    page: str,
    data: str,
    is_served: bool = False,
    body: Iterable[str] = (),
    style: str = "",
    script: str = "",
) -> Iterator[str]:
    """The HTML in blocks. `page` is `explorer` or `programs`, `data` the JSON that its script reads. `body`
    is more HTML, which comes before; it may have a `script` of its own, exactly this, and a `style`.

    The content security policy allows this script and this style, and no request: to nobody at all, or with
    `is_served` to the server that the page came from. The same data gives the same bytes.
    """
    own, style = _text(f"{page}.js"), _text(f"{page}.css") + style
    hashes = " ".join(f"'sha256-{_hash(one)}'" for one in (own, script) if one)
    packed = base64.b64encode(gzip.compress(data.encode("utf-8"), 9, mtime=0)).decode("ascii")
    nonce, asked = _hash(packed), "'self'" if is_served else "'none'"
    policy = (
        f"default-src 'none'; script-src {hashes}; style-src 'nonce-{nonce}'; "
        f"connect-src {asked}; base-uri 'none'; form-action 'none'"
    )
    yield '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
    yield '<meta name="viewport" content="width=device-width">\n'
    yield f'<title>{escape(title)}</title>\n<style nonce="{nonce}">{style}</style></head>\n<body>\n'
    yield f"<noscript>{_WITHOUT_SCRIPT}</noscript>\n"
    yield from body
    yield f'<script type="application/gzip" id="data">{packed}</script>\n<script>{own}</script>\n'
    yield "</body></html>\n"


def _text(file: str) -> str:
    return resources.files(__package__).joinpath(file).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """As content security policies write them: SHA-256 in base64."""
    return base64.b64encode(hashlib.sha256(text.encode("utf-8")).digest()).decode("ascii")
