"""How batches of commands are applied, whoever applies them: hints ahead, events taken in bursts.

    prepare(s, command, stage, place)   for the command (STAGES - stage) * STRIDE places ahead
    apply(s, command, ...)              appends the command's events to those waiting in `s.out`

`place` is a number below PLACES that is the command's alone until its turn, for what one stage of
hints leaves to the next. Commands are applied until more than BURST_EVENTS events wait; then these
are taken together and `s.out_count` is set to 0. So `s.out` has room for BURST_EVENTS events and
all that one command can make.
"""

STAGES = 3
STRIDE = 4
PLACES = 16
BURST_EVENTS = 8
"""Readers that spin on a ring's cursors cost its writer a cache miss at every store there, so few
stores are better; long bursts make the last command of each slow."""

assert PLACES > STAGES * STRIDE
assert PLACES & (PLACES - 1) == 0
