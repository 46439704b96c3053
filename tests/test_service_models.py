"""EC2's model takes longer to read than most calls take: one process reads it once, whoever asks."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Final

SCRIPT: Final = """
from botocore.loaders import JSONFileLoader
read, load = [], JSONFileLoader.load_file
JSONFileLoader.load_file = lambda self, path: read.append(path) or load(self, path)
from kthw.observed.aws.reader import Reader, preload
from kthw.target import Target
from sandbox.box import ec2_client
endpoint = "http://127.0.0.1:9"
preload()
for _ in range(2):
    ec2_client(endpoint)
    Reader(Target(kind="sandbox", endpoint=endpoint, region="us-east-1", credentials=("a", "b"))).ec2
models = [path for path in read if "/ec2/" in path and path.endswith("/service-2")]
print(len(models))
"""


def test_the_sandbox_and_the_reader_read_it_once_between_them() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        cwd=Path(__file__).parents[1],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("1\n", "")
