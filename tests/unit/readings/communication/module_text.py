"""HLO texts for tests: an entry over eight devices, in which frame n is line n of one file."""

FILE = "/net/net.py"


def module_text(*rows, head=", num_partitions=8", lines=9):
    """`x` is an argument of f32[16,8]; the others are `rows`."""
    numbers = range(1, lines + 1)
    tables = {
        "FileNames": [f'1 "{FILE}"'],
        "FunctionNames": ['1 "f"'],
        "FileLocations": [f"{n} {{file_name_id=1 function_name_id=1 line={n} column=1}}" for n in numbers],
        "StackFrames": [f"{n} {{file_location_id={n} parent_frame_id=1}}" for n in numbers],
    }
    told = "\n\n".join("\n".join((name, *found)) for name, found in tables.items())
    entry = "\n".join(f"  {row}" for row in ('%x = f32[16,8] parameter(0), metadata={op_name="x"}', *rows))
    return f"HloModule jit_f{head}\n\n{told}\n\n\nENTRY %main (p: f32[16,8]) -> f32[16,8] {{\n{entry}\n}}\n"


def made(line, primitive):
    """The metadata of an instruction that a line made by a primitive."""
    return f', metadata={{op_name="jit(f)/{primitive}" stack_frame_id={line}}}'
