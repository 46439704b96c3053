"""``ProxyCommand`` of the sandbox's ssh_config: ``python dial.py SOCKET ADDRESS PORT [SENTENCE]``.

Asks the sandbox for a connection from its internet and copies bytes both ways; ``SENTENCE`` is what to say
where nobody has that address. Standard library only and no import of ours: it starts once per SSH connection,
and should start fast.
"""

import array
import os
import select
import signal
import socket
import sys


class NobodyError(OSError):
    """No machine of the sandbox has that address."""


def connect(asking: socket.socket, path: str) -> None:
    """Connect to the socket's file, whose name may be longer than the 107 bytes that the kernel takes."""
    folder = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)  # noqa: PTH120 -- pathlib is slow to load
    try:
        asking.connect(f"/proc/self/fd/{folder}/{os.path.basename(path)}")  # noqa: PTH119
    finally:
        os.close(folder)


def connection(path: str, address: str, port: str) -> socket.socket:
    """The connected socket. Raises ``OSError`` with the reason, ``NobodyError`` where nobody has it."""
    with socket.socket(socket.AF_UNIX) as asking:
        try:
            connect(asking, path)
        except FileNotFoundError:
            raise NobodyError("the sandbox has ended, or carries no packets") from None
        asking.sendall(f"{address} {port}\n".encode())
        answer, ancillary, _, _ = asking.recvmsg(1024, socket.CMSG_SPACE(4))
    if answer.startswith(b"?"):
        raise NobodyError("no machine of the sandbox has that address")
    if not answer.startswith(b"+") or not ancillary:
        raise OSError(answer[1:].decode() or "the sandbox hung up")
    descriptors = array.array("i")
    descriptors.frombytes(ancillary[0][2])
    return socket.socket(fileno=descriptors[0])


def address_of(host: str) -> str:
    """The address that is in a machine's public DNS name (``ec2-203-0-113-5.…``); of all else, itself."""
    name = host.partition(".")[0].split("-")
    return ".".join(name[1:]) if name[0] == "ec2" and len(name) == 5 else host


def copy(remote: socket.socket) -> None:
    """Copy stdin to ``remote`` and ``remote`` to stdout until ``remote`` ends."""
    reading: list[int | socket.socket] = [0, remote]
    while True:
        for ready in select.select(reading, [], [])[0]:
            if isinstance(ready, socket.socket):
                data = remote.recv(65536)
                if not data:
                    return
                while data:
                    data = data[os.write(1, data) :]
            else:
                data = os.read(0, 65536)
                if data:
                    remote.sendall(data)
                else:
                    remote.shutdown(socket.SHUT_WR)
                    reading.remove(0)


def main(arguments: list[str]) -> None:
    """Connect and copy. Exits with a sentence when that cannot be."""
    if len(arguments) < 3:  # ssh puts nothing where the host should be: `ssh ubuntu@`
        sys.exit("sandbox: ssh was given no host: ssh ubuntu@ADDRESS")
    path, address, port, *said = arguments
    try:
        remote = connection(path, address_of(address), port)
        remote.setblocking(True)
        copy(remote)
    except OSError as problem:
        known = isinstance(problem, NobodyError) and said and said[0]
        sys.exit(f"{address}: {said[0]}" if known else f"sandbox: {address} port {port}: {problem}")


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C is for ssh; a traceback of ours is for nobody
    main(sys.argv[1:])
