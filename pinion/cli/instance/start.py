"""Start an instance of an application in the foreground and say when it is ready.

`pinion up` does this for trading (up.py): it names the row of the registry, which says all the rest.
"""

import argparse
import json
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import msgspec

from engine.contract.application import Application
from engine.contract.instance import Instance
from engine.runtime.journal.journal import FOLDER
from engine.runtime.supervision.children import Child
from engine.runtime.supervision.configure import FirstCommands
from engine.runtime.supervision.ownership import owned
from engine.runtime.supervision.supervisor import Supervisor
from engine.runtime.upkeep.migration import LAYOUT_FILE
from engine.settings import config
from engine.settings.config import ConfigError, InstanceSettings
from pinion.cli.applications import Applications, ApplicationTools
from pinion.cli.arguments import DEFAULT_DATA, whole_argument
from pinion.cli.command import DONE
from pinion.cli.journal.data import application_of, read_layout, remember, require_application, require_fit
from pinion.cli.kernels import announced_compilation, compile_ahead, prepare_processes
from pinion.cli.starting import Door

PORT = whole_argument(0, 65535, 8000)


def add_arguments(
    parser: argparse.ArgumentParser, doors: Sequence[Door], data_dir: Path = DEFAULT_DATA
) -> None:
    """Declare the options that every application has; data_dir : the folder where none is given."""
    parser.set_defaults(setup=None, lean=False)
    parser.add_argument("--config", type=Path, metavar="FILE", help="TOML; left out: the built-in demo")
    parser.add_argument(
        "--data", type=Path, default=data_dir, metavar="DIR", help="data folder (default %(default)s)"
    )
    for door in sorted(doors, key=lambda door: door.section):
        parser.add_argument(
            door.option,
            dest=port_of(door),
            type=PORT,
            metavar="N",
            help=f"port of {door.purpose}, 0 = any free one",
        )
    parser.add_argument(
        "--durability",
        choices=("sync", "none"),
        help="sync: an answer means that the command is on the disk; none: nothing is written (default: the "
        "configuration's, which is sync)",
    )
    parser.add_argument(
        "--wait",
        choices=("block", "backoff", "spin"),
        help="what idle processes do: sleep until called, look again and again ever more seldom, or spin "
        "(default: the configuration's, which is block)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="log the processes' lifecycle on standard error"
    )


def run(args: argparse.Namespace, name: str) -> int:
    """Run an application until a signal to stop; name : of its row."""
    level = logging.INFO if args.verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(levelname)s %(name)s[%(process)d] %(message)s")
    data_dir = args.data.resolve()
    tools: ApplicationTools = args.applications[name]()
    if args.lean:
        tools = replace(tools, starting=tools.starting.lean)
    starting = tools.starting
    os.umask(os.umask(0o077) & 0o077)  # one that takes from the owner would make files that we cannot open
    try:
        settings = read_settings(args, tools)
        wanted = starting.definitions(settings)
        with owned(data_dir, starting.process_names) as lock:
            first = starting.first_commands(wanted, settings, data_dir, args.setup)
            settings = settle(settings, name, data_dir, args.applications)
            application = application_for(settings, name, data_dir, args.applications)
            source = str(args.config or "demo")
            supervisor = build(application, tools, settings, first, data_dir, lock, source)
            return serve(supervisor)
    except msgspec.ValidationError as error:
        raise ConfigError(str(error)) from error
    except KeyboardInterrupt:  # a signal to stop, before there was anything to stop in order
        return DONE
    except OSError as error:
        if error.strerror is None:
            raise
        raise OSError(error.errno, error.strerror, error.filename or str(data_dir)) from error


def read_settings(args: argparse.Namespace, tools: ApplicationTools) -> InstanceSettings:
    """Return what the file, or the demo, and the command line say; nothing is written yet.

    The keys of the demo are not known before the data folder is owned: `settle` adds them. Lean are the
    settings without shadow and history.
    """
    starting = tools.starting
    settings = config.load(args.config, tools.settings) if args.config else starting.demo()
    if args.config and starting.doors and not settings.keys and not starting.has_demo_key:
        raise ConfigError(f"{args.config}: keys: there is none, so nobody could enter; add a [[keys]] table")
    ports = {door.section: getattr(args, port_of(door)) for door in starting.doors}
    settings = config.with_ports(settings, {each: port for each, port in ports.items() if port is not None})
    given = {each: getattr(args, each) for each in ("durability", "wait") if getattr(args, each)}
    if args.lean:
        given["shadow"] = "off"
        history = msgspec.structs.replace(settings.history, enabled=False)
        settings = msgspec.structs.replace(settings, history=history)
    return msgspec.structs.replace(settings, engine=msgspec.structs.replace(settings.engine, **given))


def port_of(door: Door) -> str:
    """Return the name under which the arguments have the port of a door."""
    return f"{door.section}_port"


def settle(
    settings: InstanceSettings, name: str, data_dir: Path, applications: Applications
) -> InstanceSettings:
    """Note in the folder, which is ours, what belongs to it for good: capacities and the demo's keys."""
    is_durable, sizes = settings.engine.durability == "sync", sizes_of(settings)
    if is_durable:
        require_fit(data_dir, name, sizes, applications)
    elif (data_dir / FOLDER / LAYOUT_FILE).exists():
        require_application(data_dir, read_layout(data_dir, applications), name)
    if not settings.keys:
        keys = tuple(applications[name]().starting.demo_keys(data_dir))
        settings = msgspec.structs.replace(settings, keys=keys)
    if is_durable:
        remember(data_dir, name, sizes, applications)
    return settings


def sizes_of(settings: InstanceSettings) -> dict[str, int]:
    """Return the capacities by name."""
    sizes: dict[str, int] = msgspec.structs.asdict(settings.capacities)
    return sizes


def application_for(
    settings: InstanceSettings, name: str, data_dir: Path, applications: Applications
) -> Application:
    """Return the application with these capacities, and with those that the folder's journal had before."""
    if settings.engine.durability == "sync":
        return application_of(data_dir, applications)
    return applications[name]().make(sizes_of(settings))


def serve(supervisor: Supervisor) -> int:
    """Run what was put together until a signal to stop; return the exit code."""
    with announced_compilation() as compilation:

        def ready(children: Sequence[Child], running: Instance) -> None:
            compilation.finish()
            say_ready(children, running)

        return supervisor.run(ready)


def build(
    application: Application,
    tools: ApplicationTools,
    settings: InstanceSettings,
    first: FirstCommands,
    data_dir: Path,
    lock: int,
    source: str,
) -> Supervisor:
    """Put the instance together: configuration, doors, supervisor."""
    doors = tools.starting.door_specs(settings, data_dir)
    return Supervisor(
        data_dir=data_dir,
        lock=lock,
        config=source,
        settings=settings.engine,
        history=settings.history,
        application=application,
        first=first,
        doors=doors,
        prepare=prepare_processes(
            application,
            tools,
            doors,
            has_history=settings.engine.durability == "sync" and settings.history.enabled,
        ),
        compile_ahead=compile_ahead(application, tools),
    )


def say_ready(children: Sequence[Child], instance: Instance) -> None:
    """Print one line per process, then the line that scripts wait for."""
    for process in instance.processes:
        print(f"{process.name} pid {process.pid}")
    ready = {**instance.doors, "data": instance.data_dir, "pid": os.getpid()}
    print(f"ready {json.dumps(ready, separators=(',', ':'))}", flush=True)
