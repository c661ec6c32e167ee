"""A second server on one data folder is refused in words, while commands go on working beside the first."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from tests.serving import free_port
from tests.test_cli import data as data_fixture
from tests.test_cli import run

data = data_fixture


def serve(data: Path, port: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "anshang", "serve", "--data", str(data), "--port", str(port)]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@pytest.mark.slow
def test_a_second_server_is_refused_in_words_and_commands_work_beside_the_first(
    data: Path, tmp_path: Path
) -> None:
    port = free_port()
    first = serve(data, port)
    try:
        until_s = time.monotonic() + 30
        while time.monotonic() < until_s:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/api/health", timeout=1)
                break
            except OSError:
                time.sleep(0.1)
        second = serve(data, free_port())
        _, said = second.communicate(timeout=30)
        assert second.returncode == 2
        assert "Another Anshang server is using" in said
        assert "已有另一个安商服务器" in said
        assert "Traceback" not in said
        assert run("backup", str(tmp_path / "saved.tar.gz"), "--data", str(data)).exit_code == 0
        assert run("journal", "verify", "--data", str(data)).exit_code == 0
        assert first.poll() is None
    finally:
        first.terminate()
        first.communicate(timeout=15)
