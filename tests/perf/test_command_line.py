"""`python -m perf` measures, writes the JSON of interface R7 and a pyperf suite, and names what is wrong."""

import json
from pathlib import Path

import numpy as np
import pyperf
import pytest

from perf import tiers
from perf.__main__ import main
from perf.bench_step import BenchError, StepBench, agrees_with, capacities_for, measure, one_core
from perf.flow.generate import generate
from perf.flow.mixes import EXCHANGE_CORE, MIXES
from perf.report import median_lines, read
from perf.result import KEYS, Result


def test_step_tier_runs_tiny_and_writes_both_files(tmp_path: Path) -> None:
    path = tmp_path / "step.json"

    code = main(["run", "step", "--quick", "--json", str(path)])

    lines = json.loads(path.read_text())
    assert code == 0
    assert [line["case"] for line in lines] == [mix.name for mix in MIXES]
    assert all(tuple(line) == KEYS for line in lines)
    assert all(line["checked"] is True and line["durability"] == "none" for line in lines)
    suite = pyperf.BenchmarkSuite.load(str(tmp_path / "step.pyperf.json"))
    assert "step/a-exchange-core/p99" in suite.get_benchmark_names()


def test_report_shows_a_result_file_with_its_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "flow.json"
    commands = tmp_path / "flow.npy"
    np.save(commands, generate(EXCHANGE_CORE, count=500).commands)
    main(["run", "step", "--quick", "--commands", str(commands), "--json", str(path)])
    capsys.readouterr()

    code = main(["report", str(path)])

    shown = capsys.readouterr().out
    assert code == 0
    assert "step/flow" in shown
    assert "cpu" in shown


def test_pipeline_tier_runs_tiny_and_checks_every_event() -> None:
    assert main(["run", "pipeline", "--quick"]) == 0


def test_an_unknown_tier_is_a_clear_error(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["run", "warp"])

    assert code == 2
    assert "unknown tier 'warp'; known: ring" in capsys.readouterr().err


def test_every_tier_has_its_benchmark_and_every_benchmark_its_tier() -> None:
    benches = {path.stem.removeprefix("bench_") for path in Path(tiers.__file__).parent.glob("bench_*.py")}

    assert benches == set(tiers.TIERS)


@pytest.mark.parametrize("name", ["fix", "ouch"])
def test_a_tier_that_does_not_exist_is_named_nowhere(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["run", name]) == 2

    refused = capsys.readouterr().err
    assert f"unknown tier '{name}'; known: {', '.join(tiers.TIERS)}\n" in refused
    assert name not in tiers.TIERS


@pytest.mark.parametrize("names", [("pipeline", "step"), ("step", "pipeline")])
def test_a_tier_that_fails_takes_nothing_from_the_others(
    names: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "results.json"

    with one_core():  # too few for the pipeline
        code = main(["run", *names, "--quick", "--runs", "2", "--json", str(path)])

    said = capsys.readouterr()
    lines, _ = read(path)
    assert code == 1
    assert [(line["tier"], line["case"]) for line in lines] == [("step", mix.name) for mix in MIXES]
    assert "step/a-exchange-core" in said.out
    assert said.err.count("pipeline was not measured: BenchError: the pipeline tier needs two cores") == 1
    assert [each.name for each in tmp_path.iterdir() if "tmp" in each.name] == []


def test_runs_that_lack_a_case_are_merged_by_case() -> None:
    one = Result(tier="step", case="a", commands=1, mean_ns=3.0).line()
    two = Result(tier="step", case="b", commands=1, mean_ns=8.0).line()

    merged = median_lines([[one, two], [one | {"mean_ns": 5.0}]])

    assert [(line["case"], line["mean_ns"]) for line in merged] == [("a", 4.0), ("b", 8.0)]


@pytest.mark.parametrize("content", [b"not an array", b""], ids=["text", "empty"])
def test_a_commands_file_that_is_no_array_is_a_clear_error(
    content: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "bad.npy"
    path.write_bytes(content)

    code = main(["run", "step", "--commands", str(path)])

    assert code == 1
    assert str(path) in capsys.readouterr().err


def test_a_commands_file_of_another_dtype_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "floats.npy"
    np.save(path, np.zeros(3))

    code = main(["run", "step", "--commands", str(path)])

    assert code == 1
    assert "must be a one-dimensional array of engine.trading.records.COMMAND" in capsys.readouterr().err


def test_commands_file_goes_with_the_step_tier_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["run", "ring", "--commands", "x.npy"])

    assert stopped.value.code == 2
    assert "run step --commands" in capsys.readouterr().err


def test_a_run_that_differs_from_the_model_is_refused() -> None:
    flow = generate(EXCHANGE_CORE, count=300)
    altered = flow.commands.copy()
    altered["qty"][flow.first :] = 0  # every new order is refused now
    bench = StepBench(altered, flow.first, capacities_for(flow.mix))

    with pytest.raises(BenchError, match="expected"):
        measure("altered", bench, 1, agrees_with(flow))
