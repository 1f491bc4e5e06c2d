"""A folder of XLA's dumps (`--xla_dump_to`) → the modules in it, and the files of each.

`module_0003.jit_step.before_optimizations.txt`, `….cpu_after_optimizations-buffer-assignment.txt` and so on:
all compilers of XLA name their files so (jaxlib 0.8.3 to 0.12.0, libtpu 0.0.42.1, jax-cuda12-pjrt 0.10.2).
With a time stamp before that, or compressed, they are read as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from jitinspect.errors import LoadError
from jitinspect.files.contents import text
from jitinspect.files.kinds import parts_of
from jitinspect.model.listing import DumpedModule, Listing

_NAMED = re.compile(r"(?:\d+\.)?(module_(\d+)\.(?:([^.]+)\.)?)")
_BEFORE = re.compile(
    r"((?:\d+\.)?module_(\d+)\.(?:(.+)\.)?)before_optimizations\.(?:txt|hlo\.pb|pb)(?:\.gz)?"
)
_ENDINGS = {
    "before": re.compile(r"before_optimizations\.txt(?:\.gz)?"),
    "before_proto": re.compile(r"before_optimizations\.(?:hlo\.)?pb(?:\.gz)?"),
    "after": re.compile(r"(?:[\w.]+_)?after_optimizations\.txt(?:\.gz)?"),
    "after_proto": re.compile(r"(?:[\w.]+_)?after_optimizations\.(?:hlo\.)?pb(?:\.gz)?"),
    "assignment": re.compile(r"(?:[\w.]+_)?after_optimizations-buffer-assignment\.txt(?:\.gz)?"),
    "live_ranges": re.compile(r"(?:[\w.]+_)?after_optimizations-live-range\.txt(?:\.gz)?"),
}
_SHOWN = 6


@dataclass(frozen=True, slots=True)
class ModuleFiles:
    """Those of one module. `start` is what the names of all its files begin with."""

    folder: Path
    start: str
    number: int
    name: str
    files: tuple[str, ...]

    @property
    def called(self) -> str:
        """`module_0003.jit_step`."""
        return self.start.rstrip(".")

    def find(self, what: str) -> Path | None:
        """The file of that kind, a key of `_ENDINGS`."""
        ending = _ENDINGS[what]
        found = (name for name in self.files if ending.fullmatch(name, len(self.start)))
        return next((self.folder / name for name in sorted(found)), None)

    def missing(self) -> LoadError:
        return LoadError(f"{self.folder}/:{self.called} has no module: neither the text nor the proto of one")

    def is_called(self, wanted: str) -> bool:
        """By its name, with or without `jit_`, its number, or what its files begin with."""
        names = (
            self.name,
            self.name.partition("_")[2],
            f"module_{self.number:04}",
            str(self.number),
            self.called,
        )
        return wanted in names


def modules_in(folder: Path) -> list[ModuleFiles]:
    """In the order of their numbers. Raises `LoadError` for a folder that cannot be listed, or has none."""
    try:
        names = sorted(path.name for path in folder.iterdir() if path.is_file())
    except OSError as error:
        raise LoadError(f"{folder} cannot be read: {error.strerror or error}") from None
    found = sorted(_grouped(folder, names), key=lambda one: (one.number, one.name))
    if not found:
        raise LoadError(
            f"{folder} holds no dumps of XLA",
            hint="XLA_FLAGS=--xla_dump_to=DIR writes them; --xla_dump_hlo_pass_re=.* those of passes, too",
        )
    return found


def _grouped(folder: Path, names: Sequence[str]) -> Iterator[ModuleFiles]:
    """By the names of what XLA was given, which are whole; other modules are named up to the next dot."""
    left = dict.fromkeys(names)
    given = [found for name in names if (found := _BEFORE.fullmatch(name))]
    for start, number, name in dict.fromkeys((one[1], one[2], one[3] or "") for one in given):
        files = tuple(one for one in left if one.startswith(start))
        for one in files:
            del left[one]
        yield ModuleFiles(folder, start, int(number), name, files)
    others: dict[tuple[str, str, str], list[str]] = {}
    for one in left:
        if found := _NAMED.match(one):
            others.setdefault((found[0], found[2], found[3] or ""), []).append(one)
    for (start, number, name), files_ in others.items():
        yield ModuleFiles(folder, start, int(number), name, tuple(files_))


def chosen(folder: Path, wanted: str | None) -> ModuleFiles:
    """The module that is called so; without a name, the only one. Raises `LoadError` if there is none, or
    more than one: none is guessed.
    """
    found = modules_in(folder)
    fitting = [one for one in found if wanted is None or one.is_called(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    names = _listed(fitting or found)
    hint = f"{folder}/:{_largest(fitting or found).called} is the largest; jitinspect ls {folder}/ lists all"
    if not fitting:
        raise LoadError(f"{folder} holds no module {wanted}: there are {names}", hint=hint)
    what = f"{len(fitting)} modules" + (f" {wanted}" if wanted else "")
    raise LoadError(f"{folder} holds {what}: {names}", hint=hint)


def _listed(modules: Sequence[ModuleFiles]) -> str:
    more = f" and {len(modules) - _SHOWN} more" if len(modules) > _SHOWN else ""
    return ", ".join(one.called for one in modules[:_SHOWN]) + more


def _largest(modules: Iterable[ModuleFiles]) -> ModuleFiles:
    return max(modules, key=_module_bytes)


def _module_bytes(module: ModuleFiles) -> int:
    path = module.find("after") or module.find("before")
    return path.stat().st_size if path else 0


def listing_of(target: str) -> Listing:
    """What `ls` shows of a folder. Raises `LoadError` for what is none, or has no dumps in it."""
    folder, wanted = parts_of(target)
    if not folder.is_dir():
        raise LoadError(
            f"{folder} is a file, which has no list of callables", hint=f"jitinspect hlo {folder}"
        )
    found = (one for one in modules_in(folder) if wanted is None or one.is_called(wanted))
    return Listing(target, (), dumps=tuple(map(_row, found)))


def _row(module: ModuleFiles) -> DumpedModule:
    path = module.find("after") or module.find("before")
    sizes = ((module.folder / name).stat().st_size for name in module.files)
    return DumpedModule(
        module.number,
        module.name,
        len(module.files),
        sum(sizes),
        text(path).count(" = ") if path else None,
        module.find("after") is not None or module.find("after_proto") is not None,
        f"{module.folder}/:{module.called}",
    )
