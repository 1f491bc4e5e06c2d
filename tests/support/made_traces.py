"""Traces as devices that are not here would write them, by `xplane.proto` of OpenXLA."""

from dataclasses import dataclass, field


def varint(number):
    number &= (1 << 64) - 1
    written = bytearray()
    while number >= 0x80:
        written.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*written, number])


def number(field, value):
    return varint(field << 3) + varint(value)


def text(field, value):
    value = value if isinstance(value, bytes) else value.encode()
    return varint(field << 3 | 2) + varint(len(value)) + value


def entry(key, message):
    """Of a map."""
    return number(1, key) + text(2, message)


@dataclass
class Plane:
    """`lines` are events by the line's name: kind, start and duration in nanoseconds, statistics of the one
    event. `kinds` are statistics of all events of a kind.
    """

    name: str
    lines: dict[str, list[tuple]]
    kinds: dict[str, dict] = field(default_factory=dict)
    stats: dict = field(default_factory=dict)

    def __post_init__(self):
        self._names, self._stats = {}, {}

    def encoded(self):
        lines = b"".join(text(3, self._line(at, name)) for at, name in enumerate(self.lines, 1))
        own = b"".join(text(6, self._stat(*one)) for one in self.stats.items())
        kinds = b"".join(
            text(4, entry(number_, number(1, number_) + text(2, kind) + self._of_kind(kind)))
            for kind, number_ in self._names.items()
        )
        names = b"".join(
            text(5, entry(at, number(1, at) + text(2, name))) for name, at in self._stats.items()
        )
        return number(1, 7) + text(2, self.name) + lines + kinds + names + own

    def _line(self, at, name):
        events = b"".join(text(4, self._event(*event)) for event in self.lines[name])
        return number(1, at) + text(2, name) + number(3, 1_000_000) + events + number(10, at)

    def _event(self, kind, start, duration, stats=None):
        number_ = self._names.setdefault(kind, len(self._names) + 200)
        head = number(1, number_) + number(2, start * 1000) + number(3, duration * 1000)
        return head + b"".join(text(4, self._stat(*one)) for one in (stats or {}).items())

    def _of_kind(self, kind):
        return b"".join(text(5, self._stat(*one)) for one in self.kinds.get(kind, {}).items())

    def _stat(self, name, value):
        head = number(1, self._stats.setdefault(name, len(self._stats) + 1))
        if isinstance(value, bytes):
            return head + text(6, value)
        if isinstance(value, str):
            return head + number(7, self._stats.setdefault(value, len(self._stats) + 1))
        return head + (number(4, value) if value < 0 else number(3, value))


def xspace(*planes):
    return b"".join(text(1, plane.encoded()) for plane in planes)


STEP = """HloModule jit_step, is_scheduled=true

FileNames
1 "{file}"

FunctionNames
1 "step"

FileLocations
1 {{file_name_id=1 function_name_id=1 line=3 end_line=3 column=4 end_column=9}}
2 {{file_name_id=1 function_name_id=1 line=4 end_line=4 column=4 end_column=9}}

StackFrames
1 {{file_location_id=1 parent_frame_id=1}}
2 {{file_location_id=2 parent_frame_id=1}}


ENTRY %main (x: f32[8,8]) -> f32[8,8] {{
  %x = f32[8,8] parameter(0)
  %dot.1 = f32[8,8] dot(%x, %x), lhs_contracting_dims={{1}}, rhs_contracting_dims={{0}}, {dot}
  ROOT %tanh.2 = f32[8,8] tanh(%dot.1), metadata={{stack_frame_id=2}}
}}
""".replace("{dot}", "metadata={{stack_frame_id=1}}")
PYTHON = "import jax\ndef step(x):\n    y = x @ x\n    return jnp.tanh(y)\n"
"""Whose lines 3 and 4 are those of `STEP`."""


def tpu(runs=2):
    """Two runs on a TPU, with lines that tell the same again."""
    dot = "%dot.1 = f32[8,8]{1,0:T(8,128)} dot(f32[8,8] %x, f32[8,8] %x)"
    tanh = "%tanh.2 = f32[8,8]{1,0:T(8,128)} tanh(f32[8,8] %dot.1)"
    starts = [1000 * run for run in range(runs)]
    return Plane(
        "/device:TPU:0",
        {
            "Steps": [("0", 0, 2000)],
            "XLA Modules": [("jit_step(77)", start, 500, {"run_id": 5}) for start in starts],
            "XLA Ops": [one for start in starts for one in ((dot, start, 300), (tanh, start + 300, 100))],
            "Async XLA Ops": [("copy-start", 0, 400, {"hlo_op": "copy-start"})],
            "TC Overlay": [(dot, 0, 300)],
        },
        kinds={kind: {"program_id": 77, "hlo_category": "convolution"} for kind in (dot, tanh)},
    )


def gpu(runs=2):
    """Runs on a GPU: kernels on streams."""
    starts = [1000 * run for run in range(runs)]
    stats = {"hlo_module": "jit_step", "program_id": 77}
    return Plane(
        "/device:GPU:0",
        {
            "Stream #13(Compute)": [
                one
                for start in starts
                for one in (
                    ("sm90_gemm", start, 300, {"hlo_op": "dot.1", **stats, "correlation_id": start + 1}),
                    ("loop_tanh_fusion", start + 300, 100, {"hlo_op": "tanh.2", **stats}),
                )
            ],
            "Stream #14(MemcpyH2D)": [("MemcpyH2D", 0, 50, {"memcpy_details": "size:4"})],
        },
    )


TASK = Plane("Task Environment", {}, stats={"profile_start_time": 10_000, "profile_stop_time": 15_000})
