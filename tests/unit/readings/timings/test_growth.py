"""Which part of a compilation outgrows the program."""

from jitinspect.model.compile_times import CompileTime, PassTime, PhaseTime
from jitinspect.readings.timings.growth import growth

SIZES = (8, 16, 32)


def time(size, compile_, llvm, pass_, instructions):
    phases = (PhaseTime("LLVM", llvm, llvm / compile_), PhaseTime("fusion", 1e-6, 1e-6))
    passes = (PassTime("cse", pass_ / 2, "a"), PassTime("cse", pass_ / 2, "b"))
    wall = {"trace": 0.01 * size, "lower": 0.001, "compile": compile_}
    return CompileTime(wall, phases, passes, (), instructions=instructions, dims={"N": size})


def found(times):
    return {one.part: one for one in growth(times)}


def test_a_part_that_grows_with_the_square_of_the_program_is_named():
    parts = found([time(n, 0.02 * n, 0.01 * n, 0.0001 * n * n, 20 * n) for n in SIZES])
    assert [name for name, one in parts.items() if one.faster] == ["pass cse"]
    assert round(parts["pass cse"].exponent, 6) == 2 and round(parts["pass cse"].program, 6) == 1
    assert round(parts["LLVM"].exponent, 6) == 1 and not parts["LLVM"].faster


def test_little_parts_are_left_out():
    parts = found([time(n, 0.02 * n, 0.01 * n, 0.0001, 20 * n) for n in SIZES])
    assert {*parts} == {"trace", "compile", "LLVM"}


def test_what_is_within_the_noise_is_not_said_to_grow_faster():
    noisy = [
        time(n, 0.02 * n, 0.01 * n * noise, 0.0001, 20 * n)
        for n, noise in zip(SIZES, (1, 0.5, 2), strict=True)
    ]
    (llvm,) = (one for one in growth(noisy) if one.part == "LLVM")
    assert llvm.exponent > 1.4 and llvm.error > 0.3 and not llvm.faster


def test_what_jumps_at_one_size_is_no_power():
    (llvm,) = (
        one
        for one in growth(
            [
                time(n, 0.1 + spent, spent, 0.0001, 20)
                for n, spent in zip(SIZES, (1e-4, 1e-4, 0.1), strict=True)
            ]
        )
        if one.part == "LLVM"
    )
    assert llvm.exponent > 4 and not llvm.is_clear and not llvm.faster


def test_two_sizes_do_not_tell():
    assert not any(
        one.faster for one in growth([time(n, 0.02 * n, 0.01 * n**3, 0.01, 20 * n) for n in (8, 16)])
    )


def test_a_program_that_does_not_grow():
    parts = found([time(n, 0.1, 0.05, 0.01, 20) for n in SIZES])
    assert parts["compile"].program == 0 and not parts["compile"].faster and parts["trace"].faster
