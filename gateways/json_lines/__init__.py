"""The JSON codec: commands (interface R2) to COMMAND records, EVENT records to events (interface R3).

Sans-I/O: dictionaries and records in, records and dictionaries out. Files, the feeder
and the HTTP door all speak through it, so that a name or a default exists once.

    fields.py          reading one field: its type, its range, did-you-mean
    commands.py        CommandEncoder: orders
    administration.py  instruments, accounts, limits, phases, clock
    movements.py       deposits, withdrawals, transfers
    events.py          EventFormatter, and the event of a line refused at the door
"""

from gateways.json_lines.commands import CommandEncoder
from gateways.json_lines.events import EventFormatter, refused_event
from gateways.json_lines.fields import MalformedCommand, decode_object

__all__ = ["CommandEncoder", "EventFormatter", "MalformedCommand", "decode_object", "refused_event"]
