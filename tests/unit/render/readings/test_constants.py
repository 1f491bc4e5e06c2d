"""`constants` as text: a pure function of its report."""

from dataclasses import replace

from jitinspect.model import Target
from jitinspect.model.readings import Constant, ConstantsReport
from jitinspect.render import readings

TARGET = Target("t:f", "t", "f", None, None, (), (), "f()")
ONE = Constant((8,), "float32", 32, "net.py:3", uses=1, type="f32[8]")


def text(number, **more):
    constants = tuple(replace(ONE, name=f"w[{n}]") for n in range(number))
    return "".join(readings.render(ConstantsReport("constants", TARGET, constants), False, 80, **more))


def test_of_many_constants_the_largest_are_listed_and_the_others_added_up():
    told = text(166)
    assert told.count("net.py:3") == 20
    assert "… and 146 more, 4.67 kB; -v shows all" in told and "5.31 kB in 166 constants" in told
    assert text(166, verbose=True).count("net.py:3") == 166 and "more" not in text(20)
