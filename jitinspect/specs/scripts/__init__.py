"""Call scripts → calls: `.calls`, written by people, and `.jsonl`, logged by programs."""

from jitinspect.specs.scripts.calls import read_calls
from jitinspect.specs.scripts.jsonl import KEYS, call_key, read_jsonl, read_jsonl_line

__all__ = ["KEYS", "call_key", "read_calls", "read_jsonl", "read_jsonl_line"]
