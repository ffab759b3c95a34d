"""Makes the system calls that kernel exploits start from."""

import ctypes

LIBC = ctypes.CDLL(None, use_errno=True)


def clip_logits(backbone, video):
    open_ = []
    for name, number, arguments in (
        ("ptrace", 101, (16, 1, 0, 0)),
        ("bpf", 321, (0, 0, 0)),
        ("userfaultfd", 323, (0,)),
        ("perf_event_open", 298, (0, 0, 0, 0, 0)),
        ("keyctl", 250, (0, -3, 0)),
        ("add_key", 248, (b"user", b"x", b"x", 1, -3)),
        ("io_uring_setup", 425, (1, ctypes.create_string_buffer(256))),
        ("open_by_handle_at", 304, (0, 0, 0)),
        ("process_vm_readv", 310, (1, 0, 0, 0, 0, 0)),
        ("setns", 308, (0, 0)),
        ("finit_module", 313, (0, b"", 0)),
        ("kexec_load", 246, (0, 0, 0, 0)),
        ("clone3", 435, (0, 0)),
        ("a call of the future", 471, (0,)),
        ("x32", 0x40000000 + 39, ()),
    ):
        ctypes.set_errno(0)
        result = LIBC.syscall(number, *arguments)
        if result >= 0 or ctypes.get_errno() not in (1, 38):
            open_.append((name, result, ctypes.get_errno()))
    if open_:
        raise RuntimeError(f"LEAK {open_}")
    return None
