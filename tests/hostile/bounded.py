"""What an action comes to in a process of its own, which may take so much memory and so much time."""

import json
import os
import resource
import select
import signal
import sys
import time
import traceback
import warnings
from contextlib import suppress
from pathlib import Path

from rnnlm.errors import RnnlmError

__all__ = ["Outcome", "bounded", "outcome_of", "sparse"]

SPARE = 400  # megabytes of addresses beyond those that may be used: threads and libraries take some


class Outcome(dict):
    """`kind`, the class of the error or '', `said`, its message, `ours`, whether it is one of rnnlm's, `megabytes`, `seconds`."""

    __getattr__ = dict.__getitem__


def outcome_of(action):
    """What an action comes to, here."""
    try:
        said = action()
        return {"kind": "", "said": repr(said)[:500], "ours": True}
    except Exception as error:
        ours = isinstance(error, (RnnlmError, OSError)) and not isinstance(error, TimeoutError)
        return {
            "kind": type(error).__name__,
            "said": str(error)[:500],
            "ours": ours,
            "trace": traceback.format_exc()[-1500:],
        }


def sparse(path, size, begin=b""):
    """A file of so many bytes that takes none of the disk, but for its beginning."""
    with open(path, "wb") as file:
        file.write(begin)
        file.truncate(size)
    return path


def _measured(action, megabytes, seconds):
    """In the child: the outcome, with its memory and its time."""
    resident = int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
    addresses = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (addresses + (megabytes + SPARE << 20), resource.RLIM_INFINITY))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(seconds)
    begin = time.monotonic()
    found = outcome_of(action)
    found["seconds"] = time.monotonic() - begin
    found["megabytes"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - resident) >> 20
    return found


def bounded(action, megabytes=100, seconds=20):
    """The outcome of an action, which must stay within these bounds; it is done in a copy of this process."""
    read, write = os.pipe()
    sys.stdout.flush()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of threads that the copy has not
        child = os.fork()
    if not child:
        with suppress(BaseException):
            os.write(write, json.dumps(_measured(action, megabytes, seconds)).encode())
        os._exit(0)
    os.close(write)
    waited_for = select.poll()  # which takes any number of a file
    waited_for.register(read, select.POLLIN)
    ready = waited_for.poll((seconds + 20) * 1000)
    content = os.read(read, 1 << 20) if ready else b""
    os.close(read)
    if not ready:
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    assert content, f"the process came to status {status} (14 is a time of more than {seconds} s) and said nothing"
    found = Outcome(json.loads(content))
    assert found.megabytes <= megabytes, f"it took {found.megabytes} MB: {found}"
    return found
