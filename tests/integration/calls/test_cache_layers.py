"""What the property test found wrong, each once, by name: really made, and planned where a script says it."""

import textwrap

import pytest

from jitinspect.jaxapi.jits.facts import KEYWORDS_HAVE_TYPES
from tests.integration.calls.test_equal_to_jax import Worker

JITS = """
    import functools, jax, jax.numpy as jnp, numpy as np

    def base(x, y=None):
        return x + 1

    plain, inline = jax.jit(base), jax.jit(base, inline=True)
    keeping, donating = jax.jit(base, keep_unused=True), jax.jit(base, donate_argnums=0)
    static = jax.jit(base, static_argnames="y")

    @jax.jit
    def refusing(x):
        raise ValueError("always")

    @jax.jit
    def variadic(*xs, **options):
        return xs, options

    four, own = np.zeros(4, np.float32), jnp.zeros(4)
"""


@pytest.fixture(scope="module")
def observer():
    worker = Worker("observing_worker.py")
    yield worker
    worker.close()


@pytest.fixture
def run(observer, tmp_path, request):
    """The rows of a program, which finds the jits above defined."""

    def run(text):
        script = tmp_path / "program.py"
        script.write_text(textwrap.dedent(JITS) + textwrap.dedent(text))
        observer.ask(script=str(script), plan=False)
        return observer.answer()

    return run


@pytest.fixture(params=[False, True], ids=["made", "planned"])
def replay(observer, tmp_path, request):
    """The rows of a call script."""

    def replay(text):
        module = f"jits_{tmp_path.name}".replace("-", "_")
        tmp_path.joinpath(f"{module}.py").write_text(textwrap.dedent(JITS))
        script = tmp_path / "script.calls"
        names = "plain, inline, keeping, donating, static, refusing, variadic"
        script.write_text(f"from {module} import {names}\n{textwrap.dedent(text)}")
        observer.ask(script=str(script), plan=request.param)
        return observer.answer()

    return replay


def told(rows):
    return [(row["status"], row["executable"]) for row in rows]


def kinds(row):
    return [reason["kind"] for reason in row["reasons"]]


def test_the_fast_path_finds_what_a_jit_with_another_inline_or_keep_unused_compiled(replay):
    rows = replay("keeping(f32[4])\nplain(f32[4])\ninline(f32[4])")
    assert told(rows) == [("COMPILED", 1), ("CACHED", 1), ("CACHED", 1)]


def test_jits_that_differ_in_static_parameters_share_calls_that_leave_these_out(replay):
    assert told(replay("static(f32[4])\nplain(f32[4])")) == [("COMPILED", 1), ("CACHED", 1)]


def test_an_array_that_is_committed_needs_no_new_trace(replay):
    rows = replay("plain(f32[4])\nplain(f32[4]@cpu:0)")
    assert [row["stages"] for row in rows] == [["trace", "lower", "compile"], ["lower", "compile"]]


def test_nothing_is_donated_under_debug_nans(replay):
    rows = replay("with config(jax_debug_nans=True):\n    donating(f32[4])\nplain(f32[4])\ndonating(f32[4])")
    assert told(rows) == [("COMPILED", 1), ("CACHED", 1), ("CACHED", 1)]


def test_keywords_of_a_variadic_function_are_named(replay):
    rows = replay("variadic(f32[4])\nvariadic(f32[4], u=f32[4])")
    assert kinds(rows[1]) == ["structure"]


def test_a_jit_made_for_one_call_names_the_executable_that_it_finds(run):
    assert told(run("plain(four)\njax.jit(base)(four)")) == [("COMPILED", 1), ("CACHED", 1)]


def test_one_jit_uses_two_executables_for_numpy_and_for_jax_arrays(run):
    rows = run("keeping(four)\nplain(own)\nplain(four)\nplain(own)")
    assert told(rows) == [("COMPILED", 1), ("COMPILED", 2), ("CACHED", 1), ("CACHED", 2)]


def test_a_clearing_forgets_whether_a_jit_donates(run):
    rows = run("""
        donating(four)
        jax.clear_caches()
        with jax.debug_nans(True):
            plain(four)
            donating(four)
    """)
    assert told(rows) == [("COMPILED", 1), ("COMPILED", 2), ("CACHED", 2)]


def test_a_clearing_forgets_the_executables_of_all_forms_of_a_call(run):
    rows = run("plain(own)\njax.clear_caches()\nplain(four)\nplain(own)\nplain(four)")
    assert told(rows) == [("COMPILED", 1), ("COMPILED", 2), ("CACHED", 2), ("CACHED", 2)]


def test_a_jit_made_after_a_clearing_has_a_fast_path_of_its_own(run):
    rows = run("""
        jax.clear_caches()
        for _ in range(2):
            keeping(four)
            plain(four)
            jax.jit(base)(four)
    """)
    assert told(rows[:3]) == [("COMPILED", 1), ("CACHED", 1), ("COMPILED", 2)]
    assert told(rows[3:]) == [("CACHED", 1), ("CACHED", 1), ("CACHED", 2)]


def test_a_jit_made_after_a_clearing_clears_its_own_fast_path(run):
    rows = run("""
        jax.clear_caches()
        later = jax.jit(base)
        keeping(four)
        later(four)
        later.clear_cache()
        plain(four)
    """)
    assert told(rows) == [("COMPILED", 1), ("COMPILED", 2), ("CACHED", 1)]


def test_another_default_device_is_another_executable(run):
    rows = run("""
        for _ in range(2):
            plain(four)
            with jax.default_device(jax.devices()[1]):
                plain(four)
    """)
    assert told(rows) == [("COMPILED", 1), ("COMPILED", 2), ("CACHED", 1), ("CACHED", 2)]
    assert [reason["where"] for reason in rows[1]["reasons"]] == ["jax_default_device"]


def test_what_is_compiled_ahead_of_time_and_was_compiled_before_keeps_its_number(run):
    rows = run("plain(four)\nplain.lower(four).compile()(four)")
    assert told(rows) == [("COMPILED", 1), ("CACHED", 1)]


def test_a_call_that_failed_and_is_made_again(run):
    rows = run("""
        for _ in range(2):
            try:
                refusing(four)
            except ValueError:
                pass
    """)
    assert [row["status"] for row in rows] == ["TRACED", "TRACED"]
    assert "succeeded" in rows[1]["reasons"][0]["text"]


def test_a_look_up_that_finds_the_trace_of_another_jit_is_no_trace(run):
    rows = run("""
        @jax.jit
        def told(x):
            jax.debug.callback(lambda value: None, x)
            return x

        told(four)
        jax.jit(told.__wrapped__)(four)
    """)
    assert [row["status"] for row in rows] == ["COMPILED", "CACHED"]


def test_a_clearing_is_told_for_each_signature_that_it_cleared(run):
    rows = run("""
        for _ in range(2):
            plain(four)
            plain(four[:2])
            jax.clear_caches()
    """)
    assert [kinds(row) for row in rows[2:]] == [["cache_cleared"], ["cache_cleared"]]


def test_executables_that_look_alike_are_never_told_by_their_looks(run):
    """Three and more of them: settings differ, which no look at the arguments tells."""
    rows = run("""
        for _ in range(5):
            plain(four)
            plain(four[:2])
        for precision in ("float32", "bfloat16"):
            with jax.default_matmul_precision(precision):
                plain(four)
        plain(four)
        plain(four[:2])
    """)
    assert [row["executable"] for row in rows] == [1, 2] * 5 + [3, 4, 1, 2]


def test_static_values_that_are_equal_and_of_two_types_are_told_apart(run):
    rows = run("""
        static = jax.jit(lambda x, n: x, static_argnames="n")
        for n in (1, True, 2, 1.0):
            static(four, n=n)
        for n in (2, 1.0, True, 1, 2, True):
            static(four, n=n)
    """)
    told = [1, 2, 3, 4, 3, 4, 2, 1, 3, 2] if KEYWORDS_HAVE_TYPES else [1, 1, 2, 1, 2, 1, 1, 1, 2, 1]
    assert [row["executable"] for row in rows] == told
