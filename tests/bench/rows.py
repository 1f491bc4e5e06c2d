"""What benchmarks print: a line for each thing that is compared with another, as a ratio that has a limit.

`tests/costs.py` reads these lines again.
"""


def head(*columns: str) -> None:
    """Above the figures of `row`: as many columns as that has, and the last two."""
    print(f"{'':<36}{''.join(f'{column:>12}' for column in (*columns, 'ratio', 'limit'))}", flush=True)


def row(name: str, *figures: str, ratio: float, limit: float | None) -> bool:
    """Prints a line; whether the limit holds, if there is one."""
    held = limit is None or ratio <= limit
    limited = "-" if limit is None else f"{limit:.2f}"
    cells = "".join(f"{cell:>12}" for cell in (*figures, f"{ratio:.3f}", limited))
    print(f"{name:<36}{cells}  {'ok' if held else 'OVER'}", flush=True)
    return held
