"""A small exploration, written by hand."""

from jitinspect.model.explorations import Exploration, LineCost, Origin, Pane, Place

MARKUP = "</script><script>document.title = 'broken'</script><img src=x onerror=alert(1)>"
PYTHON = f"import jax\n\ndef loss(x, w):\n    return (x @ w).sum()  # {MARKUP}\n"
HLO = "HloModule jit_loss\n\nENTRY %main {\n  %dot.1 = f32[] dot()\n  ROOT %sum = f32[] reduce(%dot.1)\n}\n"
MADE = Exploration(
    files=("net.py", "/env/lib/site-packages/flax/dense.py"),
    places=(Place(0, 4), Place(1, 70)),
    origins=(Origin((0,), "dot_general"), Origin((0,), "reduce_sum"), Origin((1, 0), "dot_general")),
    sets=((), (0,), (1,), (2,)),
    panes=(
        Pane("net.py", "python", PYTHON, file=0),
        Pane("flax/dense.py:69", "python", "def dense(x):\n    return x @ x", file=1, first=69),
        Pane("jaxpr", "jaxpr", "{ lambda ; }", origins=(0,)),
        Pane(
            "hlo", "hlo", HLO, origins=(0, 0, 0, 1, 2, 0, 0), folds=((2, 5),), operands=((4, 1),),
            costs=(LineCost(3, 8, 64, 1e-6), LineCost(4, 2, 16)),
        ),
        Pane("asm", "asm", "", origins=(0,), unavailable="no objdump"),
    ),
)  # fmt: skip
