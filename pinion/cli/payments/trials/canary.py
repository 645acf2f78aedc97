"""`pinion payments canary`: a set of rules decides for a part of the cards, for more of them step by step.

    start ID --steps 5,25,100 --hold 5h,24h,0    begin; a step is left once it has lasted so long and has
                                                 seen --min-seen decisions of each side
    status                                       how it stands: counts, disagreements, both sides
    set ID --percent P                           another percentage
    advance ID, pause ID, resume ID              the next step at once, no step meanwhile, go on
    rollback ID                                  the governing set decides everything again

Which cards are in it depends on card and set alone: a card stays, and those of 5 per cent are among those
of 25. Where both sets disagree more often than --max-disagree-ppm, it rolls itself back with that payment.
"""

import argparse
from typing import Any

import msgspec

from engine.contract.errors import UsageError
from pinion.cli.command import DONE
from pinion.cli.parser import Parser
from pinion.cli.payments.door_client import add_door_arguments, door_of
from pinion.cli.payments.trials.trial_text import add_gates, add_why, gates_of, tell_trial

PATH = "/v1/payments/canary"
ACTS = {
    "start": "begin a canary",
    "set": "give it another percentage",
    "advance": "take the next step at once",
    "pause": "stay at this step",
    "resume": "go on from a pause",
    "rollback": "let the governing set decide everything again",
}


def add_arguments(parser: Parser) -> None:
    """Declare the acts and their options."""
    acts = parser.add_subparsers(dest="act", metavar="ACT", required=True)
    status = acts.add_parser("status", help="how it stands")
    made = {name: acts.add_parser(name, help=text) for name, text in ACTS.items()}
    for each in made.values():
        each.add_argument("ruleset", type=int, metavar="ID", help="of the set on trial")
        add_why(each)
    made["start"].add_argument(
        "--steps", default="5,25,100", metavar="P,P,..", help="percentages (default %(default)s)"
    )
    made["start"].add_argument(
        "--hold",
        default="5h,24h,0",
        metavar="T,T,..",
        help="how long each lasts (default %(default)s)",
    )
    add_gates(made["start"])
    made["set"].add_argument("--percent", type=int, required=True, metavar="P", help="1 to 100")
    for each in (status, *made.values()):
        add_door_arguments(each)
        each.add_argument("--json", action="store_true", help="the door's document instead of text")


def run(args: argparse.Namespace) -> int:
    """Ask the door, and print how the trial stands."""
    door = door_of(args)
    if args.act == "status":
        said = door.ask("GET", PATH)
    else:
        said = door.ask("POST", f"{PATH}/{args.act}", body_of(args))
    if args.json:
        print(msgspec.json.encode(said).decode())
    else:
        tell_trial(said)
    return DONE


def body_of(args: argparse.Namespace) -> dict[str, Any]:
    """Return the body of an act."""
    body: dict[str, Any] = {"ruleset": args.ruleset, "why": args.why}
    if args.act == "set":
        return body | {"percent": args.percent}
    if args.act != "start":
        return body
    try:
        steps = [int(each) for each in args.steps.split(",")]
    except ValueError:
        raise UsageError(f"--steps {args.steps!r}: give percentages such as 5,25,100") from None
    return body | {"steps": steps, "hold": args.hold.split(","), "gates": gates_of(args)}
