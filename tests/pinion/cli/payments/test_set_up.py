"""A file of set-up: judged whole, sent once per content, remembered beside the journal."""

from pathlib import Path

import pytest

from engine.payments.records import Op
from engine.payments.settings import PaymentsSettings
from engine.runtime.journal.journal import FOLDER, JournalError
from engine.settings.config import ConfigError
from gateways.payments.hashing import Hasher
from pinion.cli.payments.applied_files import FILE, AppliedFiles
from pinion.cli.payments.load import set_up_of
from pinion.cli.payments.set_up import DEMO_SET_UP, FileSetUp, SetUpProgress, first_commands, hash_key_file

HASHER = Hasher(b"k" * 32)
PAN = "4111111111111111"


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    (tmp_path / "data" / FOLDER).mkdir(parents=True)
    return tmp_path / "data"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "lines.jsonl"
    path.write_text('{"op":"merchant","merchant":"m1"}\n\n{"op":"account","account":1}\n')
    return path


def test_the_demo_is_three_merchants_and_ten_accounts(data_dir: Path) -> None:
    sent = FileSetUp(DEMO_SET_UP, HASHER, None).missing(is_fresh=True)

    ops = [int(op) for definition in sent for op in definition.commands["op"]]
    assert (ops.count(Op.MERCHANT), ops.count(Op.ACCOUNT)) == (3, 10)


def test_each_line_is_named_by_file_and_number(file: Path) -> None:
    sent = FileSetUp(file, HASHER, None).missing(is_fresh=True)

    assert [each.setting for each in sent] == [f"--setup {file}: line 1", f"--setup {file}: line 3"]


def test_a_content_is_sent_once_whatever_its_name(data_dir: Path, file: Path, tmp_path: Path) -> None:
    first = FileSetUp(file, HASHER, AppliedFiles(data_dir))
    assert len(first.missing(is_fresh=False)) == 2
    first.remember()
    renamed = file.rename(tmp_path / "renamed.jsonl")

    again = FileSetUp(renamed, HASHER, AppliedFiles(data_dir))

    assert again.missing(is_fresh=False) == []
    renamed.write_text(renamed.read_text() + '{"op":"account","account":2}\n')
    assert len(FileSetUp(renamed, HASHER, AppliedFiles(data_dir)).missing(is_fresh=False)) == 3


def test_a_fresh_engine_gets_every_line_whatever_is_remembered(data_dir: Path, file: Path) -> None:
    FileSetUp(file, HASHER, AppliedFiles(data_dir)).remember()

    assert len(FileSetUp(file, HASHER, AppliedFiles(data_dir)).missing(is_fresh=True)) == 2


def test_a_folder_that_keeps_nothing_remembers_nothing(data_dir: Path, file: Path) -> None:
    FileSetUp(file, HASHER, None).remember()

    assert not (data_dir / FOLDER / FILE).exists()


def test_the_memory_shows_no_content(data_dir: Path, file: Path) -> None:
    file.write_text(f'{{"op":"list","list":"lost","add":["{PAN}"]}}\n')

    FileSetUp(file, HASHER, AppliedFiles(data_dir)).remember()

    memory = (data_dir / FOLDER / FILE).read_text()
    other = FileSetUp(file, Hasher(b"l" * 32), AppliedFiles(data_dir))
    assert PAN not in memory
    assert len(other.missing(is_fresh=False)) == 1  # the hash of a content depends on the key


def test_a_damaged_memory_is_told(data_dir: Path) -> None:
    (data_dir / FOLDER / FILE).write_text("[{")

    with pytest.raises(JournalError, match=r"set-up\.json: is damaged"):
        AppliedFiles(data_dir)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"op":"merchant","merchant":"m 1"}', "line 2: merchant: 'm 1'"),
        ('{"op":"account"', "line 2: line: is not JSON"),
        ('{"op":"account","acount":1}', "line 2: acount: account has no such field"),
    ],
)
def test_a_wrong_line_is_refused_before_anything_is_sent(file: Path, line: str, said: str) -> None:
    file.write_text(f'{{"op":"account","account":1}}\n{line}\n')

    with pytest.raises(ConfigError) as refused:
        FileSetUp(file, HASHER, None)

    assert f"--setup {file}: {said}" in str(refused.value)


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"--setup .*absent: cannot be read"):
        FileSetUp(tmp_path / "absent", HASHER, None)


def test_the_key_of_hashes_lies_in_the_folder_or_where_the_settings_say(tmp_path: Path) -> None:
    settings = PaymentsSettings()

    first_commands(settings, tmp_path, None)

    assert hash_key_file(settings.payments, tmp_path) == tmp_path / "hash.key"
    assert (tmp_path / "hash.key").stat().st_mode & 0o777 == 0o600


def test_progress_is_told_once_a_second(capsys: pytest.CaptureFixture[str]) -> None:
    now = [0.0]
    progress = SetUpProgress(Path("big.jsonl"), lambda: now[0])

    for second in (0.2, 0.5, 1.2, 1.5, 2.3):
        now[0] = second
        progress(int(second * 1000), 3000)

    assert capsys.readouterr().err.splitlines() == [
        "big.jsonl: 1,200 of 3,000 commands applied",
        "big.jsonl: 2,300 of 3,000 commands applied",
    ]


def test_the_set_up_that_a_load_writes_is_taken(tmp_path: Path) -> None:
    path = tmp_path / "more.jsonl"
    path.write_text(set_up_of(merchants=4, accounts=30))

    sent = FileSetUp(path, HASHER, None).missing(is_fresh=True)

    ops = [int(op) for definition in sent for op in definition.commands["op"]]
    assert (ops.count(Op.MERCHANT), ops.count(Op.ACCOUNT)) == (4, 30)


def test_params_of_a_rule_that_there_is_not_are_told_once(
    data_dir: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "early.jsonl"
    file.write_text('{"op":"merchant","merchant":"m1","params":{"later":{"max":1}}}')

    set_up = FileSetUp(file, HASHER, None, data_dir / "rules")
    set_up.missing(is_fresh=True)

    said = capsys.readouterr().err
    assert said.count("early.jsonl: line 1: params.later: no set that was registered has a rule") == 1
