"""The README's table of costs, from what the benchmarks print.

    python tests/costs.py measure FILE [BENCHMARK…]
    python tests/costs.py write FILE…

The first runs benchmarks with this Python, one after the other, and keeps what they print; without a name,
all that are shown. Do it on a machine that has nothing else to do. The second writes the table, with a column
for each file: that of another Python, or another JAX. `tests/e2e/test_readme.py` holds that the table has the
right form.
"""

import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
BEGIN, END = "<!-- costs, by tests/costs.py -->\n", "<!-- end of costs -->\n"


@dataclass(frozen=True)
class Shown:
    """Rows of a benchmark: those that it shows, by name; how it calls one, and what that is compared with."""

    benchmark: str
    against: str
    label: str = "`{}`"
    names: str = ""

    def shows(self, label: str) -> bool:
        """Whether a row of the table is one of these."""
        before, _, after = self.label.partition("{}")
        name = label[len(before) : len(label) - len(after)]
        return label == self.label.format(name) and bool(re.match(self.names, name))


SHOWN = (
    Shown("processes", "`import jax`", names="--"),
    Shown("processes", "a script that prints the same text", "`{}` function", names=".*, "),
    Shown("readings", "compiling both", names="diff"),
    Shown("readings", "compiling the function", names="(?!diff)"),
    Shown("donation", "compiling the donating function", "`donation`: {}"),
    Shown("passes", "the compilation, with dumps", names="(?!.*memory)"),
    Shown("memory", "12 MB more than `hlo` takes", "memory of `{}`", names="(?!constants)"),
    Shown("collectives", "XLA's compilation, for 64 devices"),
    Shown("devices", "a whole compilation for v5e", "`{}` `--target v5e`"),
    Shown("compile_time", "the same compilation", "`compile-time`: {}"),
    Shown("profiles", "the same calls", "`profile`: {}"),
    Shown("sampling", "the same trace", "`compile-time`, the trace: {}"),
    Shown("programs", "the same program", "`run`: {}", names="(?!--hits)"),
    Shown("programs", "a microsecond more", "`run`: {}", names="--hits"),
    Shown("calls", "`json.loads` of each line", "`trace-cache --plan`, 10⁶ lines: {}", names="1,000 |each"),
    Shown("recordings", "`json.loads` of each line", "`summary`: {}", names="[0-9]+ recordings$"),
    Shown("recordings", "that for a tenth of them", "`summary`: {}", names="memory"),
    Shown("cache", "reading and unpacking the files", "`cache ls` of 1,000 entries, the {}", names="listing"),
    Shown("watching", "its first run", "`{} --watch`, after a save", names="hlo|cost|compile-time"),
)  # fmt: skip
"""In the order of the table. `names` is a pattern of how a row's name begins."""


@dataclass(frozen=True)
class Row:
    """A thing that was measured: its ratio to what it is compared with, and the limit of that."""

    name: str
    ratio: float
    limit: float


_BENCHMARK = re.compile(r"== (?:.*\bbench/)?(\w+)(?:\.py .*)?$")
_ENVIRONMENT = re.compile(r"Python (\d+\.\d+)\S*, jax (\d+\.\d+)\S*$")
_ROW = re.compile(
    r"(?P<name>\S.*?)  +\d.*?(?P<ratio>-?\d+\.\d+)(?: of it, at most)? +(?P<limit>[\d.]+) +(?:ok|OVER)$"
)


def measure(file: Path, names: list[str]) -> None:
    """Appends to the file: what was measured again counts."""
    import jax

    with file.open("a") as stream:
        print(f"Python {sys.version.split()[0]}, jax {jax.__version__}", file=stream)
        for name in names or dict.fromkeys(one.benchmark for one in SHOWN):
            print(f"== {name}", file=stream, flush=True)
            script = ROOT / "tests" / "bench" / f"{name}.py"
            subprocess.run([sys.executable, str(script)], cwd=ROOT, stdout=stream, check=False)


def environment(text: str, otherwise: str) -> str:
    found = re.search(_ENVIRONMENT.pattern, text, re.MULTILINE)
    return f"Python {found[1]}, jax {found[2]}" if found else otherwise


def rows(text: str) -> dict[str, dict[str, Row]]:
    """benchmark → name → the last row of that name."""
    found: dict[str, dict[str, Row]] = {}
    of_benchmark = found.setdefault("", {})
    for line in text.splitlines():
        if begun := _BENCHMARK.match(line):
            of_benchmark = found.setdefault(begun[1], {})
        elif row := _ROW.match(line.strip()):
            of_benchmark[row["name"]] = Row(row["name"], float(row["ratio"]), float(row["limit"]))
    return found


def table(columns: dict[str, str]) -> str:
    """In Markdown, from environment → what the benchmarks printed there."""
    measured = [rows(text) for text in columns.values()]
    lines = [_line("what", "compared with", "limit", *columns)]
    lines.append(_line("---", "---", "--:", *["--:"] * len(columns)))
    for shown in SHOWN:
        found = [one.get(shown.benchmark, {}) for one in measured]
        for name in dict.fromkeys(name for one in found for name in one if re.match(shown.names, name)):
            of_name = [one.get(name) for one in found]
            limit = next(f"{row.limit:g}" for row in of_name if row)
            lines.append(_line(shown.label.format(name), shown.against, limit, *map(_ratio, of_name)))
    return "\n".join(lines) + "\n"


def _line(*cells: str) -> str:
    return f"| {' | '.join(cells)} |"


def _ratio(row: Row | None) -> str:
    """In bold where it is over the limit."""
    if row is None:
        return "–"
    return f"{row.ratio:.3f}" if row.ratio <= row.limit else f"**{row.ratio:.3f}**"


def shown_in(readme: str) -> str:
    """The table that stands there."""
    return readme.partition(BEGIN)[2].partition(END)[0]


def write(files: list[Path]) -> None:
    columns = {environment(file.read_text(), file.stem): file.read_text() for file in files}
    before, begin, rest = README.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    README.write_text(f"{before}{begin}{table(columns)}{end}{after}")


def main(words: list[str]) -> int:
    match words:
        case ["measure", file, *names]:
            measure(Path(file), names)
        case ["write", _, *_]:
            write([Path(word) for word in words[1:]])
        case _:
            print(__doc__, file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
