"""A file is whole or not there, whatever happens while it is written."""

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from adapters.files import write_atomically

OLD, NEW = "old\n" * 20_000, "new\n" * 20_000

ON_A_FULL_DISK = """
import resource, sys
from pathlib import Path
from adapters.files import write_atomically
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
try:
    write_atomically(Path(sys.argv[1]), "new\\n" * 20_000)
except OSError:
    sys.exit(7)
"""

FOR_EVER = """
import itertools, sys
from pathlib import Path
from adapters.files import write_atomically
for text in itertools.cycle(["old\\n" * 20_000, "new\\n" * 20_000]):
    write_atomically(Path(sys.argv[1]), text)
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    file = tmp_path / "file"
    file.write_text(OLD)
    return file


def test_a_full_disk_leaves_the_old_file_and_nothing_else(file: Path) -> None:
    done = subprocess.run([sys.executable, "-c", ON_A_FULL_DISK, file], check=False)
    assert done.returncode == 7
    assert file.read_text() == OLD
    assert list(file.parent.iterdir()) == [file]


def test_a_kill_in_the_middle_leaves_a_whole_file(file: Path) -> None:
    first = file.stat().st_ino
    with subprocess.Popen([sys.executable, "-c", FOR_EVER, file]) as writer:
        while file.stat().st_ino == first:
            assert writer.poll() is None
        writer.kill()
    assert file.read_text() in (OLD, NEW)


def test_a_reader_never_meets_half_a_file(file: Path) -> None:
    done = threading.Event()

    def write() -> None:
        for text in [NEW, OLD] * 50:
            write_atomically(file, text)
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    read = {file.read_text()}
    while not done.is_set():
        read.add(file.read_text())
    writer.join()
    assert read <= {OLD, NEW}


def test_of_two_writers_one_wins_as_a_whole(file: Path) -> None:
    writers = [threading.Thread(target=write_atomically, args=(file, text)) for text in [OLD, NEW] * 4]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert file.read_text() in (OLD, NEW)
    assert list(file.parent.iterdir()) == [file]


def test_missing_folders_are_made_and_secrets_are_the_owners_only(tmp_path: Path) -> None:
    file = tmp_path / "a/b/secret.json"
    write_atomically(file, "{}", mode=0o600)
    assert file.stat().st_mode & 0o777 == 0o600


def test_where_no_file_can_be_nothing_is_left(tmp_path: Path) -> None:
    (tmp_path / "taken/by-a-folder").mkdir(parents=True)
    with pytest.raises(OSError, match="taken"):
        write_atomically(tmp_path / "taken", "text")
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]
