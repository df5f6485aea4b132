#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A service manager, played: as much of systemd as a restart without losing a tunnel needs.

    manager.py serve FOLDER BIN CONFIG    keeps descriptors (NOTIFY_SOCKET), starts and stops BIN/posternd, and says on a
                                          bus of its own what job there is; what it hears is in FOLDER/heard
    manager.py ask FOLDER WORD [NAME]     tells it what to do, waits until it is done, prints what it says

What is in the store goes to every program that is started, and stays until that takes it out. Only a restart and the
start behind a kill leave it alone.
"""
import ctypes
import fcntl
import json
import os
import select
import shutil
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

SLOW = int(os.environ.get("POSTERN_SLOW", "1"))
PATIENCE = 20 * SLOW
LEFT = 75  # SuccessExitStatus=, of one that has left its descriptors
ANCILLARY = socket.CMSG_SPACE(8 * 4) + socket.CMSG_SPACE(12)


# ---- a bus with one service on it, and two objects ----

def align(b, n):
    return b + bytes(-len(b) % n)


def put_string(b, text):
    b = align(b, 4)
    return b + struct.pack("<I", len(text)) + text.encode() + b"\0"


def put_signature(b, text):
    return b + bytes([len(text)]) + text.encode() + b"\0"


def message(kind, to, signature, body):
    """A reply to that serial, or an error without a body."""
    f = align(put_signature(b"\5", "u"), 4) + struct.pack("<I", to)
    f = put_string(put_signature(align(f, 8) + b"\7", "s"), "org.freedesktop.DBus")
    if kind == 3:
        f = put_string(put_signature(align(f, 8) + b"\4", "s"), "org.freedesktop.DBus.Error.Failed")
    if signature:
        f = put_signature(put_signature(align(f, 8) + b"\x08", "g"), signature)
    return align(b"l" + bytes([kind, 1, 1]) + struct.pack("<III", len(body), to + 1, len(f)) + f, 8) + body


def get_string(b, at):
    at += -at % 4
    n = struct.unpack_from("<I", b, at)[0]
    return b[at + 4:at + 4 + n].decode(), at + 5 + n


def parse(b):
    """Serial, fields by number, and the strings of the body."""
    body_len, serial, fields_len = struct.unpack_from("<III", b, 4)
    at, end, fields = 16, 16 + fields_len, {}
    while at < end:
        at += -at % 8
        code, kind = b[at], chr(b[at + 2])
        at += 4
        if kind == "g":
            n = b[at]
            fields[code], at = b[at + 1:at + 1 + n].decode(), at + 2 + n
        elif kind == "u":
            at += -at % 4
            fields[code], at = struct.unpack_from("<I", b, at)[0], at + 4
        else:
            fields[code], at = get_string(b, at)
    body, words, at = b[len(b) - body_len:], [], 0
    for kind in fields.get(8, ""):
        if kind == "u":
            words.append(struct.unpack_from("<I", body, at)[0])
            at += 4
        else:
            word, at = get_string(body, at)
            words.append(word)
    return serial, fields, words


class Bus:
    UNIT = "/org/freedesktop/systemd1/unit/posternd_2eservice"
    JOB = "/org/freedesktop/systemd1/job/7"

    def __init__(self, path, manager):
        self.manager = manager
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen()
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            s = self.listener.accept()[0]
            threading.Thread(target=self.client, args=(s,), daemon=True).start()

    def client(self, s):
        """Nobody may wait for us for long: of job "deaf" we do not even say who we are, of "mute" not Hello."""
        got = b""
        if self.manager.job == "deaf":
            s.recv(1)
            time.sleep(PATIENCE)
            return
        while b"BEGIN\r\n" not in got:
            more = s.recv(4096)
            if not more:
                return
            got += more
        if b"\r\nDATA\r\n" in got:
            s.sendall(b"DATA\r\n")
        s.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
        if b"NEGOTIATE_UNIX_FD" in got:
            s.sendall(b"AGREE_UNIX_FD\r\n")
        got = got.split(b"BEGIN\r\n", 1)[1]
        while True:
            while len(got) < 16 or len(got) < self.size(got):
                more = s.recv(4096)
                if not more:
                    return
                got += more
            n = self.size(got)
            answer = self.answer(*parse(got[:n]))
            got = got[n:]
            if answer:
                s.sendall(answer)

    @staticmethod
    def size(b):
        body, _, fields = struct.unpack_from("<III", b, 4)
        return 16 + fields + (-fields % 8) + body

    def exec_start(self):
        """A variant with a list of one command: path, arguments, and of its last run nothing."""
        command = self.manager.command()
        arguments = b""
        for word in command:
            arguments = put_string(arguments, word)
        one = align(put_string(b"", command[0]), 4) + struct.pack("<I", len(arguments)) + arguments
        one = align(align(one, 4) + struct.pack("<I", 0), 8) + struct.pack("<QQQQIii", 0, 0, 0, 0, 0, 0, 0)
        body = align(put_signature(b"", "a(sasbttttuii)"), 4) + struct.pack("<I", len(one))
        return align(body, 8) + one

    def answer(self, serial, fields, words):
        path, member, job = fields.get(1), fields.get(3), self.manager.job
        if job == "mute" or (job == "silence" and member != "Hello"):
            return None
        if member == "Hello":
            return message(2, serial, "s", put_string(b"", ":1.1"))
        if member == "GetUnitByPID" and words == [self.manager.pid]:
            return message(2, serial, "o", put_string(b"", self.UNIT))
        if member == "Get" and path == self.UNIT and words[1] == "Job":
            body = align(put_signature(b"", "(uo)"), 8) + struct.pack("<I", 7 if job else 0)
            return message(2, serial, "v", put_string(body, self.JOB if job else "/"))
        if member == "Get" and path == self.UNIT and words[1] == "FileDescriptorStoreMax":
            return message(2, serial, "v", align(put_signature(b"", "u"), 4) + struct.pack("<I", self.manager.room))
        if member == "Get" and path == self.UNIT and words[1] == "ExecStart":
            return message(2, serial, "v", self.exec_start())
        if member == "Get" and path == self.JOB and words[1] == "JobType" and job:
            return message(2, serial, "v", put_string(put_signature(b"", "s"), job))
        return message(3, serial, "", b"")


# ---- the manager ----

def sleep(seconds):
    """This process in a time namespace, whose CLOCK_BOOTTIME alone is ahead: so it is behind a sleep."""
    libc, newtime = ctypes.CDLL(None, use_errno=True), 0x80
    if libc.unshare(newtime) != 0:
        raise OSError(ctypes.get_errno(), "unshare")
    with open("/proc/self/timens_offsets", "w", encoding="ascii") as f:
        f.write(f"boottime {seconds} 0\n")
    if libc.setns(os.open("/proc/self/ns/time_for_children", os.O_RDONLY | os.O_CLOEXEC), newtime) != 0:
        raise OSError(ctypes.get_errno(), "setns")


def other_users(path):
    """This process on a machine that has other users."""
    libc, newns, bind, rec, private = ctypes.CDLL(None, use_errno=True), 0x20000, 0x1000, 0x4000, 1 << 18
    if (libc.unshare(newns) != 0 or libc.mount(None, b"/", None, rec | private, None) != 0 or
            libc.mount(path.encode(), b"/etc/passwd", None, bind, None) != 0):
        raise OSError(ctypes.get_errno(), "mount")


class Manager:
    def __init__(self, folder, bin_folder, config):
        self.folder, self.bin, self.config = folder, bin_folder, config
        self.store, self.kept, self.held = {}, {}, []
        self.pid, self.job, self.ready = 0, None, threading.Event()
        self.room, self.more = 4096, []
        self.keeps, self.barriers, self.then_stop, self.ahead = "none", None, False, 0
        self.count, self.users = 0, ""
        self.lock = threading.Lock()
        self.notify = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.notify.bind(f"{folder}/notify")
        self.notify.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self.heard = open(f"{folder}/heard", "a", encoding="utf-8")
        self.bus = Bus(f"{folder}/bus", self)
        threading.Thread(target=self.listen, daemon=True).start()

    # -- what the service says --

    def listen(self):
        while True:
            line, ancillary, _, _ = self.notify.recvmsg(4096, ANCILLARY)
            fds, pid = [], 0
            for _, kind, value in ancillary:
                if kind == socket.SCM_RIGHTS:
                    fds = list(struct.unpack(f"{len(value) // 4}i", value[:len(value) // 4 * 4]))
                elif kind == socket.SCM_CREDENTIALS:
                    pid = struct.unpack("3i", value)[0]
            with self.lock:
                self.take(line.decode().split("\n"), fds, pid)

    def take(self, lines, fds, pid):
        """NotifyAccess=main."""
        said = dict(line.split("=", 1) for line in lines)
        if pid == self.pid:
            print(" ".join(lines), file=self.heard, flush=True)
            if "FDSTORE" in said and len(self.store) < self.room:
                self.store[said["FDNAME"]] = fds.pop()
            if "FDSTOREREMOVE" in said and said["FDNAME"] in self.store:
                self.remove(said["FDNAME"])
            if "READY" in said:
                self.ready.set()
        if "BARRIER" in said and self.barriers is not None:
            self.barriers -= 1
            if self.barriers < 0:
                self.held += fds
                return
        for fd in fds:
            os.close(fd)

    def remove(self, name):
        fd = self.store.pop(name)
        if self.keeps in ("", name):
            self.kept[name] = fd
        else:
            os.close(fd)

    # -- starting --

    def environment(self):
        return {**os.environ, "NOTIFY_SOCKET": f"{self.folder}/notify", "WATCHDOG_USEC": "4000000"}

    def child(self, given):
        """In the new process: what is given from 3 on, and nothing else."""
        high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 3 + len(given)) for fd in given.values()]
        log = os.open(f"{self.folder}/log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        for i, fd in enumerate(high):
            os.dup2(fd, 3 + i)
        os.closerange(3 + len(high), 65536)
        env = self.environment()
        if self.ahead:
            sleep(self.ahead)
        if given:
            env.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(len(given) + self.count), LISTEN_FDNAMES=":".join(given))
        if self.users:
            other_users(self.users)
        os.execve(f"{self.bin}/posternd", self.command(), env)

    def command(self):
        """ExecStart="""
        return [f"{self.bin}/posternd", "--config", self.config, "--run-dir", f"{self.folder}/run",
                "--state-dir", f"{self.folder}/state", *self.more]

    def start(self):
        if self.pid != 0:
            return "failed: it runs"
        self.ready.clear()
        with self.lock:
            # the last one first, as systemd has them
            given = dict(reversed(self.store.items()))
            self.pid = os.fork()
            if self.pid == 0:
                try:
                    self.child(given)
                except Exception as e:  # pylint: disable=broad-except
                    print(f"no program: {e!r}", file=sys.stderr, flush=True)
                finally:
                    os._exit(127)
            with open(f"{self.folder}/pid", "w", encoding="utf-8") as f:
                print(self.pid, file=f)
        end = time.monotonic() + PATIENCE
        while not self.ready.wait(0.02):
            if os.waitid(os.P_PID, self.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) or time.monotonic() > end:
                return "it is not ready"
        return "ok"

    # -- ending --

    def wait(self):
        """TimeoutStopSec, and SIGKILL. In a restart it is to leave, or to say goodbye."""
        fd = os.pidfd_open(self.pid)
        if not select.select([fd], [], [], PATIENCE)[0]:
            os.kill(self.pid, signal.SIGKILL)
        os.close(fd)
        status = os.waitpid(self.pid, 0)[1]
        with self.lock:
            self.pid = 0
        code = os.waitstatus_to_exitcode(status)
        return "ok" if code == 0 or (code == LEFT and self.job == "restart") else f"it ended with {code}"

    def asks_systemd(self):
        return b"libsystemd.so" in open(f"{self.bin}/postern", "rb").read()

    def exec_stop(self):
        """What the unit does; where `postern` was built without libsystemd, as it would with it."""
        if self.asks_systemd():
            bus = "nobody" if self.job == "no bus" else "bus"
            env = {**self.environment(), "MAINPID": str(self.pid), "DBUS_SYSTEM_BUS_ADDRESS": f"unix:path={self.folder}/{bus}"}
            done = subprocess.run([f"{self.bin}/postern", "--run-dir", f"{self.folder}/run", "leave-for-restart"], env=env,
                                  timeout=PATIENCE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
            return done.stdout.decode()
        if self.job != "restart":
            return ""
        until = time.monotonic() + 8
        end = self.request()
        while end["reason"] == "busy" and time.monotonic() < until:
            time.sleep(0.1)
            end = self.request()
        return "" if end["ok"] else f"error: {end['text']}"

    def request(self):
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.settimeout(PATIENCE)
        s.connect(f"{self.folder}/run/control.sock")
        s.sendall(json.dumps({"v": 1, "do": "restart", "name": None, "pid": self.pid, "room": self.room}).encode() + b"\n")
        return json.loads(s.makefile().readline())

    def ends(self, job):
        if self.pid == 0:
            return "failed: nothing runs"
        self.job = job
        said = self.exec_stop()
        if job == "restart" and self.then_stop:
            self.job = "stop"
        os.kill(self.pid, signal.SIGTERM)
        said += self.wait()
        self.job = None
        return said

    def empty(self):
        with self.lock:
            for fd in self.store.values():
                os.close(fd)
            self.store = {}

    # -- what the test says --

    def do_start(self, _):
        return self.start()

    def do_stop(self, _):
        said = self.ends("stop")
        self.empty()
        return said

    def do_restart(self, _):
        said = self.ends("restart")
        return f"{said}, {self.start()}"

    def do_supersede(self, _):
        """Somebody wants a stop while it is restarted."""
        self.then_stop = True
        said = self.ends("restart")
        self.then_stop = False
        self.empty()
        return said

    def do_crash(self, _):
        """Restart=on-failure"""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="utf-8") as f:
            crew = f.read().split()
        os.kill(self.pid, signal.SIGKILL)
        said = self.wait()
        while any(os.path.exists(f"/proc/{pid}") for pid in crew):
            time.sleep(0.01)
        return f"{said}, {self.start()}"

    def do_leave(self, _):
        """Only the first half, so that the store can be spoilt before the second one, which is `start`."""
        return self.ends("restart")

    def do_lose(self, name):
        with self.lock:
            os.close(self.store.pop(name))
        return "ok"

    def do_keep(self, name):
        """What is taken out from now on is kept, too; or one of it."""
        self.keeps = name
        return "ok"

    def do_again(self, _):
        """That is in the store again, although it was taken out."""
        with self.lock:
            self.store, self.kept, self.keeps = self.kept, {}, "none"
        return "ok"

    def do_more(self, name):
        with self.lock:
            self.store[name] = os.open("/dev/null", os.O_RDONLY)
        return "ok"

    def do_claim(self, n):
        """So many more than there are are counted from now on."""
        self.count = int(n or 0)
        return "ok"

    def do_users(self, path):
        """The next ones find the users of that file."""
        self.users = path or ""
        return "ok"

    def do_reap(self, _):
        """One that has ended by itself."""
        return self.wait()

    def do_swap(self, name):
        """There is something else in that place."""
        with self.lock:
            os.close(self.store[name])
            self.store[name] = os.open("/dev/null", os.O_RDWR)
        return "ok"

    def do_twin(self, names):
        """What is in the first place is in the second one, too."""
        first, second = names.split()
        with self.lock:
            os.close(self.store[second])
            self.store[second] = os.dup(self.store[first])
        return "ok"

    def do_sleeps(self, seconds):
        """The machine of the next ones has slept so long, or not."""
        self.ahead = int(seconds or 0)
        return "ok"

    def do_spoil(self, _):
        """The record is of another version."""
        with self.lock:
            was = self.store["record"]
            text = os.pread(was, 1 << 20, 0)
            fd = os.memfd_create("postern-hand-over", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
            os.write(fd, text.replace(b"postern hand-over", b"postern hand-OVER", 1))
            os.lseek(fd, 0, os.SEEK_SET)
            fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.fcntl(was, fcntl.F_GET_SEALS))
            os.close(was)
            self.store["record"] = fd
        return "ok"

    def do_deaf(self, n):
        """Answers so many barriers, and no more; or all again."""
        with self.lock:
            self.barriers = int(n) if n else None
            for fd in self.held:
                os.close(fd)
            self.held = []
        return "ok"

    def do_room(self, n):
        """FileDescriptorStoreMax="""
        self.room = int(n)
        return "ok"

    def do_arguments(self, words):
        """ExecStart= has these, too, from the next start on."""
        self.more = words.split()
        return "ok"

    def do_count(self, _):
        """How many are in the store."""
        with self.lock:
            return str(len(self.store))

    def do_names(self, _):
        with self.lock:
            return "\n".join(self.store)

    def do_exec(self, path):
        """The command of ExecStop= alone, with that job."""
        self.job = path if path != "none" else None
        said = self.exec_stop()
        self.job = None
        return said

    def serve(self):
        path = f"{self.folder}/manager"
        s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        s.bind(path)
        s.listen()
        while True:
            c = s.accept()[0]
            word, _, name = c.makefile().readline().strip().partition(" ")
            if word == "end":
                return
            try:
                said = getattr(self, f"do_{word}")(name)
            except Exception as e:  # pylint: disable=broad-except
                said = f"failed: {e!r}"
            c.sendall(said.encode())
            c.close()


def ask(folder, words):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    s.connect(f"{folder}/manager")
    s.sendall((" ".join(words) + "\n").encode())
    s.shutdown(socket.SHUT_WR)
    shutil.copyfileobj(s.makefile("rb"), sys.stdout.buffer)
    print()


if __name__ == "__main__":
    if sys.argv[1] == "serve":
        Manager(*sys.argv[2:5]).serve()
    else:
        ask(sys.argv[2], sys.argv[3:])
