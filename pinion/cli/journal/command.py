"""`pinion journal`: verify, dump, count, archive, restore or migrate a journal; quarantine a command.

    verify      every frame and its place in the chain, every seq and ring_seq, the snapshots
    dump        commands as JSON, one a line, in the integers of the records, client ids as given
    stats       what was asked for, when, how large the frames are, how many bytes a day
    archive     compress the segments that nobody needs any more into a folder of their own
    restore     bring them back
    migrate     bring over what an earlier version wrote, and make the journal fit other capacities
    quarantine  leave a command out from now on that kills the worker

The first three only read; all but migrate may be done beside a running instance.
Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.
"""

import argparse
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from engine.runtime.journal import journal
from engine.runtime.journal.journal import JournalReader
from engine.runtime.upkeep import archive
from engine.settings.config import ConfigError
from pinion.cli.applications import ApplicationTools
from pinion.cli.arguments import DEFAULT_DATA, whole_argument
from pinion.cli.command import DONE, FAILED
from pinion.cli.journal import archive as journal_archive
from pinion.cli.journal import migrate as journal_migrate
from pinion.cli.journal import quarantine as journal_quarantine
from pinion.cli.journal import verify as journal_verify
from pinion.cli.journal.data import begin_of, data_folder, read_any_layout, read_layout, told, tools_of

NS_PER_DAY = 86_400 * 10**9
SEQ = whole_argument(1, 2**62, 1000)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `pinion journal` can do."""
    parser.set_defaults(explain=parser.print_help)
    actions = parser.add_subparsers(dest="action", metavar="ACTION")
    summaries = {
        "verify": "check every frame, the chain, all numbers and the snapshots",
        "dump": "write commands as JSON, one a line",
        "stats": "count what the journal and its archive hold",
        "archive": "compress the closed segments that neither a recovery nor history needs into an archive",
        "restore": "bring archived segments back: for a replay from the beginning, whatif, verify",
        "migrate": "make the journal of a stopped instance fit this version, and other capacities",
    }
    made = {}
    for name, summary in summaries.items():
        action = made[name] = actions.add_parser(
            name, help=summary, description=summary[0].upper() + summary[1:] + "."
        )
        action.add_argument("dir", metavar="DIR", type=Path, help="data folder, or the journal folder in it")
        if name == "dump":
            action.add_argument("--from", dest="first", type=SEQ, metavar="SEQ", help="first seq")
            action.add_argument("--to", dest="last", type=SEQ, default=2**62, metavar="SEQ", help="last seq")
        if name == "verify":
            action.add_argument(
                "--archive",
                type=Path,
                action="append",
                metavar="FOLDER",
                help="where archived segments may be (default: DIR/archive); may be repeated",
            )
        if name == "stats":
            action.add_argument("--archive", type=Path, metavar="FOLDER", help="default: DIR/archive")
    journal_archive.add_arguments(made["archive"], made["restore"])
    journal_migrate.add_arguments(made["migrate"])
    text = "leave a command out of every replay from now on: it killed the worker"
    action = actions.add_parser("quarantine", help=text, description=text.capitalize() + ".")
    action.add_argument("seq", type=SEQ, metavar="SEQ")
    action.add_argument(
        "--data", type=Path, default=DEFAULT_DATA, metavar="DIR", help="data folder (default %(default)s)"
    )


def run(args: argparse.Namespace) -> int:
    """Run the action that was asked for; return the exit code."""
    if args.action is None:
        args.explain()
        return DONE
    if args.action == "quarantine":
        return journal_quarantine.run(data_folder(args.data), args.seq, args.applications)
    data_dir = data_folder(args.dir)
    if args.action == "restore":  # a migration may need what comes back
        read_any_layout(data_dir, args.applications)
    elif args.action != "migrate":  # which finishes first what an interrupted one left
        read_layout(data_dir, args.applications)  # before anything is written, be it a lock file
    return ACTIONS[args.action](data_dir, args)


def _dump(data_dir: Path, args: argparse.Namespace) -> int:
    first = args.first or 1
    if args.last < first:
        raise ConfigError(
            f"--from {first} --to {args.last}: ends before it begins; give --to {first} or more"
        )
    encode = msgspec.json.Encoder().encode
    write = sys.stdout.buffer.write
    tools = tools_of(data_dir, args.applications)
    begin = begin_of(data_dir)
    is_archived = first <= begin.seq
    if is_archived:
        print(
            f"pinion journal dump: begins at seq {begin.seq + 1}: seq 1 to {begin.seq} are not here; bring "
            f"them back: pinion journal restore {data_dir}",
            file=sys.stderr,
        )
    reader = JournalReader(data_dir / journal.FOLDER, begin)
    for frame in reader:
        if frame.last_seq < first:
            continue
        if frame.first_seq > args.last:
            break
        wanted = (frame.entries["seq"] >= first) & (frame.entries["seq"] <= args.last)
        for entry in frame.entries[wanted]:
            write(encode(_fields(entry, frame.epoch, tools)) + b"\n")
    sys.stdout.buffer.flush()
    is_beyond = reader.position.seq < first
    if is_beyond:
        print(
            f"pinion journal dump: --from {first}: the journal ends at seq {reader.position.seq}",
            file=sys.stderr,
        )
    return FAILED if args.first is not None and (is_archived or is_beyond) else DONE


def _fields(entry: Any, epoch: int, tools: ApplicationTools) -> dict[str, Any]:
    """Return an entry as JSON: numbers as in the record, what is zero left out."""
    command = entry["command"]
    fields: dict[str, Any] = {"epoch": epoch}
    fields |= {name: int(entry[name]) for name in ("seq", "eng_ts", "ring", "ring_seq")}
    fields["op"] = tools.operations.get(int(command["op"]), int(command["op"]))
    for name in command.dtype.names:
        value = command[name].tolist()
        if name != "op" and (value if isinstance(value, int) else any(value)):
            fields[name] = value
    return tools.as_given(fields)


def _stats(data_dir: Path, args: argparse.Namespace) -> int:
    ops: Counter[int] = Counter()
    rings: Counter[tuple[int, int]] = Counter()
    sizes = []
    first_ts = last_ts = commands = slot_bytes = 0
    names = tools_of(data_dir, args.applications).operations
    for frame in told(JournalReader(data_dir / journal.FOLDER, begin_of(data_dir))):
        entries = frame.entries
        for op, count in zip(*np.unique(entries["command"]["op"], return_counts=True), strict=True):
            ops[int(op)] += int(count)
        for ring, count in zip(*np.unique(entries["ring"], return_counts=True), strict=True):
            rings[frame.epoch, int(ring)] += int(count)
        sizes.append(frame.command_count)
        first_ts = first_ts or int(entries["eng_ts"][0])
        last_ts = int(entries["eng_ts"][-1])
        commands += frame.command_count
        slot_bytes = entries.dtype.itemsize
    if commands:
        _print_counts(commands, sizes, slot_bytes, last_ts - first_ts)
    else:
        print("the journal is empty")
    for op, count in ops.most_common():
        print(f"  {names.get(op, str(op)):<14} {count:,}")
    for (epoch, ring), count in sorted(rings.items()):
        print(f"  epoch {epoch}, ring {ring if ring >= 0 else 'own':<5} {count:,}")
    journal_archive.tell(data_dir, args.archive or data_dir / archive.FOLDER)
    return DONE


def _print_counts(commands: int, sizes: list[int], slot_bytes: int, elapsed_ns: int) -> None:
    used = (commands + len(sizes)) * slot_bytes
    each = used / commands
    print(f"commands       {commands:,} in {len(sizes):,} frames, {used:,} bytes, {each:.1f} a command")
    p50, p99 = np.percentile(sizes, (50, 99))
    print(f"frame          p50 {p50:.0f}, p99 {p99:.0f}, largest {max(sizes)} commands")
    print(f"time           {elapsed_ns / 1e9:,.1f} s by the engine's clock")
    if elapsed_ns > 0:
        print(f"a day          {used / elapsed_ns * NS_PER_DAY:,.0f} bytes at this rate")


ACTIONS = {
    "verify": journal_verify.run,
    "dump": _dump,
    "stats": _stats,
    "archive": journal_archive.run_archive,
    "restore": journal_archive.run_restore,
    "migrate": journal_migrate.run,
}
