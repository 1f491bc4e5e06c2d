"""Where calls are counted."""

from jitinspect.jaxapi.calls.counting import _QUICK, Places


def code_of(text, file="loop.py"):
    return compile(text, file, "exec")


def count(places, code, instruction):
    try:
        places.quick[id(code), instruction][0][0] += 1
    except KeyError:
        places.counter(code, instruction)[0] += 1


def test_code_that_is_executed_anew_is_the_same_place():
    places = Places()
    for _ in range(2 * _QUICK):
        count(places, code_of("f(x)"), 4)  # freed, so that another may get its identity
        count(places, code_of("f(x)", "other.py"), 4)
        count(places, code_of("g(x, y)"), 4)
    told = {(file, code.co_names): number for (file, code, _), number in places.numbers()}
    each = 2 * _QUICK
    assert told == {
        ("loop.py", ("f", "x")): each,
        ("other.py", ("f", "x")): each,
        ("loop.py", ("g", "x", "y")): each,
    }
    assert len(places.quick) <= _QUICK


def test_many_places_are_counted_apart():
    places, code = Places(), code_of("f(x)")
    for _ in range(3):
        for instruction in range(3 * _QUICK):
            count(places, code, instruction)
    assert {number for _, number in places.numbers()} == {3}
    assert len(places.numbers()) == 3 * _QUICK
