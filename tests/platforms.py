"""What Windows and macOS lack of Python's standard library, and a process in which `rnnlm` finds none of it.

`become` gives the modules of `rnnlm` stand-ins for `os`, `signal` and their like, by way of `import`. Python's own
modules and other libraries keep the real ones, since they take other ways on other systems. On "windows" a folder can't
be opened either, signal 0 is Ctrl-C, and a file that is open or mapped can't be renamed, removed or replaced, nor can
its folder. All this is what Python's and Windows' manuals say; nothing here has run on another system than Linux.
"""

import builtins
import errno
import os
from importlib import import_module
from pathlib import Path
from types import ModuleType, SimpleNamespace

__all__ = ["become"]

LACKS = {  # by "Availability" in the documentation of Python 3.11
    "windows": {
        "os": """
            O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_LARGEFILE O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW O_NONBLOCK
            O_PATH O_RSYNC O_SYNC O_TMPFILE P_ALL P_PGID P_PID SCHED_OTHER SCHED_BATCH WNOHANG WUNTRACED chown chroot
            confstr copy_file_range ctermid eventfd fchdir fchmod fchown fdatasync fork forkpty fpathconf fstatvfs getegid
            geteuid getgid getgrouplist getgroups getloadavg getpgid getpgrp getpriority getrandom getresgid getresuid
            getsid getuid getxattr get_blocking initgroups killpg lchown listxattr lockf major makedev memfd_create minor
            mkfifo mknod nice openpty pathconf pidfd_open pipe2 posix_fadvise posix_fallocate posix_spawn posix_spawnp
            pread preadv pwrite pwritev readv register_at_fork removexattr sched_get_priority_max sched_getaffinity
            sched_getparam sched_getscheduler sched_setaffinity sched_setscheduler sched_yield sendfile set_blocking
            setegid seteuid setgid setgroups setpgid setpriority setregid setresgid setresuid setreuid setsid setuid
            setxattr splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname wait wait3 wait4 waitid writev
            """,
        "signal": """
            ITIMER_PROF ITIMER_REAL ITIMER_VIRTUAL SIGALRM SIGBUS SIGCHLD SIGCLD SIGCONT SIGHUP SIGIO SIGIOT SIGKILL
            SIGPIPE SIGPOLL SIGPROF SIGPWR SIGQUIT SIGRTMAX SIGRTMIN SIGSTKFLT SIGSTOP SIGSYS SIGTRAP SIGTSTP SIGTTIN
            SIGTTOU SIGURG SIGUSR1 SIGUSR2 SIGVTALRM SIGWINCH SIGXCPU SIGXFSZ SIG_BLOCK SIG_SETMASK SIG_UNBLOCK alarm
            getitimer pause pidfd_send_signal pthread_kill pthread_sigmask setitimer siginterrupt sigpending
            sigtimedwait sigwait sigwaitinfo
            """,
        "mmap": "MADV_DONTNEED MADV_NORMAL MADV_RANDOM MADV_SEQUENTIAL MADV_WILLNEED MAP_PRIVATE MAP_SHARED PROT_READ",
        "time": "clock_getres clock_gettime clock_settime pthread_getcpuclockid tzset",
        "": "crypt curses fcntl grp nis posix pty pwd readline resource spwd syslog termios tty",
    },
    "macos": {
        "os": """
            O_DIRECT O_LARGEFILE O_NOATIME O_PATH O_RSYNC O_TMPFILE SCHED_BATCH SCHED_IDLE copy_file_range eventfd
            fdatasync getrandom getresgid getresuid getxattr listxattr memfd_create pidfd_open pipe2 posix_fadvise
            posix_fallocate removexattr sched_getaffinity sched_getparam sched_getscheduler sched_setaffinity
            sched_setscheduler setresgid setresuid setxattr splice
            """,
        "signal": """
            SIGCLD SIGPOLL SIGPWR SIGRTMAX SIGRTMIN SIGSTKFLT pidfd_send_signal sigtimedwait sigwaitinfo
            """,
        "mmap": "MADV_DONTDUMP MADV_DONTFORK MADV_HUGEPAGE MADV_MERGEABLE MAP_POPULATE",
        "time": "CLOCK_BOOTTIME CLOCK_TAI pthread_getcpuclockid",
        "": "crypt msvcrt nis ossaudiodev spwd winreg",
    },
}


def become(system):
    """From now on the modules of rnnlm that are imported find what "windows" or "macos" has."""
    has = {"windows": windows, "macos": macos}[system]()
    lacks = {name: set(names.split()) for name, names in LACKS[system].items()}
    modules = {
        name: StandIn(import_module(name), lacks.get(name, set()), has.get(name, {})) for name in {*lacks, *has} - {""}
    }
    right = builtins.__import__

    def imported(name, names=None, local=None, fromlist=(), level=0):
        if level or not str((names or {}).get("__name__", "")).startswith("rnnlm"):
            return right(name, names, local, fromlist, level)
        if name in lacks[""]:
            raise ModuleNotFoundError(f"No module named {name!r} on {system}", name=name)
        module = right(name, names, local, fromlist, level)
        return modules.get(module.__name__, module)

    builtins.__import__ = imported
    if system == "windows":
        hold_open_files()


class StandIn(ModuleType):
    """A module without some of its names, and with others in place of some; what is set is set on the module."""

    def __init__(self, module, lacks, has):
        super().__init__(module.__name__)
        self.__dict__.update(_module=module, _lacks=lacks, **has)

    def __getattr__(self, name):
        if name in self._lacks:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r} on this system")
        return getattr(self._module, name)

    def __setattr__(self, name, value):
        setattr(self._module, name, value)


# ---------------------------------------------------------------- what they have in place of it


def macos():
    """What macOS has in place of Linux' own, by module."""
    return {
        "sys": {"platform": "darwin"},
        "ctypes": {"CDLL": lambda _name, **_: SimpleNamespace()},  # a C library without renameat2
    }


def windows():
    """What Windows has in place of Linux' own, by module."""
    return {
        "sys": {"platform": "win32"},
        "os": {
            "name": "nt",
            "open": opened,
            "kill": killed,
            "link": linked,
            "supports_dir_fd": set(),
            "supports_fd": {os.stat, os.truncate},
            "supports_follow_symlinks": {os.stat},
        },
        "ctypes": {"CDLL": no_name, "WinDLL": lambda *_, **__: Kernel32, "get_last_error": lambda: 87},
    }


def opened(path, flags, mode=0o777, *, dir_fd=None):
    """`os.open`, which opens no folders, nor anything in them by their numbers."""
    if dir_fd is not None:
        raise NotImplementedError("dir_fd unavailable on this platform")
    if os.path.isdir(path):
        raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
    return os.open(path, flags, mode)


def killed(process, number):
    """`os.kill`, which sends Ctrl-C to a group of processes or ends one."""
    raise RuntimeError(f"os.kill({process}, {number}) asks nothing on Windows: it is Ctrl-C, or the end of the process")


def linked(source, target, *, follow_symlinks=True):
    """`os.link`, which knows no other way with links to files than to follow them."""
    if not follow_symlinks:
        raise NotImplementedError("follow_symlinks unavailable on this platform")
    os.link(source, target)


def no_name(name, **_):
    """`ctypes.CDLL`, which needs the name of a library."""
    raise TypeError(f"a library has a name on Windows, got {name}")


class Kernel32:
    """What `rnnlm` asks Windows itself; a handle is the number of the process."""

    def OpenProcess(right, inherit, process):
        return process if Path(f"/proc/{process}").exists() else None

    def WaitForSingleObject(handle, milliseconds):
        return 258

    def CloseHandle(handle):
        return 1


# ---------------------------------------------------------------- files that are open stay where they are


def hold_open_files():
    """Refuse, in this process and whoever asks, what Windows refuses of files that are open."""
    for name in ("rename", "replace", "unlink", "remove", "rmdir"):
        setattr(os, name, refusing(name, getattr(os, name)))


def refusing(name, right):
    """A call that renames or removes, and refuses what is open, or what would be replaced by `os.rename`."""

    def called(path, *target, dir_fd=None, **options):
        folder = Path(os.readlink(f"/proc/self/fd/{dir_fd}")) if dir_fd is not None else Path.cwd()
        for other in (folder / path, *(Path.cwd() / path for path in target)):
            if any(file.is_relative_to(other) for file in open_files()):
                raise PermissionError(errno.EACCES, "The file is in use by a process", str(other))
        if name == "rename" and os.path.lexists(target[0]):
            raise FileExistsError(errno.EEXIST, "The file exists", str(target[0]))
        return right(path, *target, **options, **({} if dir_fd is None else {"dir_fd": dir_fd}))

    return called


def open_files():
    """The files that this process has open or mapped."""
    numbers = [path for path in Path("/proc/self/fd").iterdir() if path.is_file()]
    mapped = [line.split(maxsplit=5)[5:] for line in Path("/proc/self/maps").read_bytes().splitlines()]
    return {path.resolve() for path in numbers} | {Path(os.fsdecode(name)) for line in mapped for name in line}
