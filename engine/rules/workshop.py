"""Files of rules made ready beside a running engine: checked, compiled, tried, measured, stored.

    files --> check --> compile --> 10,000 requests, compiled and plain --> DATA/rules/HASH.json

    python -m engine.APPLICATION.rules.workshop DATA/rules    files on standard input, a Finished out of it

It is a process of its own, of the lowest priority, since compiling takes seconds of a processor. Requests are
drawn at random within the ranges of their fields, ends of these among them.
"""

import ctypes
import os
import signal
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import numpy as np

from engine.rules.compiled import compile_set
from engine.rules.language.faults import RuleFault
from engine.rules.language.source import read_set
from engine.rules.orders import Finished, RuleOrder
from engine.rules.samples import samples
from engine.rules.store import write_source
from engine.rules.stored import CODE
from engine.rules.trial import TriedRuleError, require_fast, tried
from engine.rules.vocabulary import Vocabulary

COUNT, SEED = 10_000, 0
NICE_MOST = 19
PR_SET_PDEATHSIG = 1


def made_ready(files: Mapping[str, str], folder: Path, vocabulary: Vocabulary) -> Finished:
    """Make files ready and store them; folder : of sets."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        rules = read_set(files, vocabulary)
        made = compile_set(rules, folder / CODE)
        luck = np.random.default_rng(SEED)
        p, ctx = (samples(each.values(), COUNT, luck) for each in (vocabulary.fields, vocabulary.context))
        require_fast(tried(made, p, ctx))
    except RuleFault as fault:
        return Finished(field=fault.rule or "files", fault=str(fault))
    except TriedRuleError as fault:
        return Finished(field=fault.rule, fault=str(fault))
    return Finished(source=write_source(folder, files, rules).hex())


def work(vocabulary: Vocabulary) -> None:
    """Make ready what standard input orders: the life of the process."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    os.nice(NICE_MOST)
    os.umask(0o077)  # as everything in a data folder
    os.sched_setaffinity(0, range(os.cpu_count() or 1))  # not where the door and the worker are pinned
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=RuleOrder)
    finished = msgspec.json.encode(made_ready(order.files, Path(sys.argv[1]), vocabulary))
    with suppress(BrokenPipeError):  # the door has died meanwhile
        sys.stdout.buffer.write(finished)
        sys.stdout.buffer.flush()
