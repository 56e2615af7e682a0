"""Ends a process when its parent dies, so that nothing outlives the site. Standard library only."""

import ctypes
import os
import signal
import sys

SUPERVISOR_PID = "FACESWAP_SUPERVISOR_PID"
PR_SET_PDEATHSIG = 1


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel to kill this process when its parent dies, however that happens.

    Linux only (``prctl(2)``); elsewhere it does nothing. A parent that died before the call is
    noticed as well.
    """
    if sys.platform != "linux":
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent_pid:
        os._exit(1)


def die_with_supervisor() -> None:
    """Die with the supervisor that started this process, if one did."""
    pid = os.environ.get(SUPERVISOR_PID, "")
    if pid.isdigit():
        die_with_parent(int(pid))
