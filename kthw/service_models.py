"""What AWS's services can be asked, as botocore has it in files: read once in a process, for every client.

EC2's is read in a fifth of a second, longer than most calls take. Whoever imports this waits for botocore.
"""

from __future__ import annotations

from typing import Final

from botocore.loaders import create_loader

MODELS: Final = create_loader()
"""The ``data_loader`` of every session; what it has read it keeps."""
