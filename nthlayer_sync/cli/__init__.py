"""The command line: it reads flags, calls the engine and prints; everything else is elsewhere.

Exit codes: 0 done, or nothing to do; 2 changes are pending (`plan`, `drift`); 1 something is wrong or refused, and the
message says what; 130 interrupted.
"""

from __future__ import annotations

import errno
import gc
import os
import sys

_OUTPUT_FAILED = (errno.EPIPE, errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO)


def tune() -> None:
    """Let the garbage collector look less often.

    What flows through the engine are frozen values without cycles, freed by their reference counts; at the default
    threshold a plan of 250,000 configs spends a third of its time looking for cycles among them.
    """
    gc.set_threshold(100_000, 50, 100)


def main() -> None:
    """Run the command line and exit."""
    tune()
    from nthlayer_sync.cli.commands import app
    from nthlayer_sync.errors import Failure, InputError
    from nthlayer_sync.sdk.redact import redacted

    try:
        try:
            app(prog_name="nthlayer-sync")
        finally:
            sys.stdout.flush()
    except InputError as error:
        from nthlayer_sync.cli.output import print_diagnoses

        print(f"error: {redacted(str(error))}", file=sys.stderr)
        print_diagnoses([d for d in error.diagnoses if str(d) not in str(error)], sys.stderr)
        sys.exit(1)
    except Failure as error:
        print(f"error: {redacted(str(error))}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        sys.exit(130)
    except OSError as error:
        if error.errno not in _OUTPUT_FAILED:
            raise
        _leave_output()
        if error.errno != errno.EPIPE:
            print(f"error: the output cannot be written: {error.strerror}", file=sys.stderr)
        sys.exit(1)


def _leave_output() -> None:
    """Send what is still to be printed nowhere: the interpreter would try once more at its end, and fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
