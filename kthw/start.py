"""``python -m kthw.start MODULE …``: run a program of ours, which Ctrl-C ends quietly until it is loaded.

While modules are imported nothing is open, and a traceback of half an import is for nobody: the process
simply ends, as any that does not handle SIGINT. A program that can be interrupted in order says ``loaded``.
"""

from __future__ import annotations

import runpy
import signal
import sys


def main() -> None:
    """Run the module that the command line names, with the rest of it."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    runpy.run_module(sys.argv.pop(1), run_name="__main__", alter_sys=True)


def loaded() -> None:
    """From now on Ctrl-C is ``KeyboardInterrupt`` again; where it is ignored it stays so."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_DFL:
        signal.signal(signal.SIGINT, signal.default_int_handler)


if __name__ == "__main__":
    main()
