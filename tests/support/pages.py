"""What a page was made of."""

import base64
import gzip
import json
import re


def data_of(page: str):
    """What the page's script reads."""
    packed = re.search(r'<script type="application/gzip" id="data">([^<]*)</script>', page)[1]
    return json.loads(gzip.decompress(base64.b64decode(packed)))
