"""Programs over several devices, what each of them moves in closed form, and a second way to count it.

`training`, `models`, `layouts`, `by_hand` and `libraries` are programs, each with its `CASES`; `tpu_slices`
says what some of them move when they are compiled for TPUs. A line that was written to cause a collective
ends in `# moves: KIND`, or in another mark that the case names. `scan` counts over the text of the compiled
program. `worker` compiles them, in a process with as many devices as they need.
"""
