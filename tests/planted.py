"""The offences `test_guards.py` plants: path in the sabotaged copy, and what stands there.

`# expect:` says what a guard must say: of that line, or of the test that begins there.
"""

PLANTED = {
    "controller/planted_lint.py": """
import random
import time

def offend() -> None:
    time.sleep(1)  # expect: TID251
    time.monotonic()  # expect: TID251
    time.time()  # expect: TID251
    print(random.random())  # expect: T201
    random.shuffle([])  # expect: TID251
    try:
        offend()
    except:  # expect: E722
        offend()
""",
    "controller/planted_types.py": """
from optics.quantities import ChipPoint, PixelPoint, StagePoint

def go(target: StagePoint) -> None: ...

go(StagePoint(0, 0, 0))
go(ChipPoint(0, 0, 0))  # expect: arg-type
go(PixelPoint(0, 0))  # expect: arg-type
""",
    "tests/planted_untyped.py": """
def test_untyped():  # expect: no-untyped-def
    pass
""",
    "controller/planted_both.py": "import numpy\nasync def both() -> None: ...\n",
    "controller/planted_user.py": "import optics.planted_stage\nimport boards.planted\n",
    "controller/planted_stub.py": "def stub() -> None:\n    raise NotImplementedError\n",
    "controller/commands/planted.py": "def add_to(commands, home): ...\n",
    "mapping/planted.py": "import socket\nimport optics.link\n",
    "optics/planted_stage.py": "import optics.planted_laser\n",
    "optics/planted_laser.py": "import hil\nimport mapping\n",
    "hil/emulators/planted.py": "import optics\n",
    "tests/planted/__init__.py": "",
    "tests/colorsys.py": "",
    "planted.py": "",
}

PLANTED["tests/test_planted_leaks.py"] = """
import asyncio, concurrent.futures, multiprocessing, os, socket, subprocess, threading, warnings

KEPT = []

async def nap():
    await asyncio.sleep(60)

async def fail():
    raise ValueError

async def test_task():  # expect: task: <Task pending
    KEPT.append(asyncio.create_task(nap()))

def test_task_in_a_loop_of_its_own():  # expect: task: <Task pending
    async def main():
        KEPT.append(asyncio.create_task(nap()))
    asyncio.run(main())

async def test_lost_exception():  # expect: asyncio complained: Task exception was never
    asyncio.create_task(fail())
    await asyncio.sleep(0)

async def test_never_awaited():  # expect: Exception ignored in: <coroutine
    nap()

def test_socket():  # expect: descriptor: .* -> socket
    KEPT.append(socket.socket())

def test_dropped_socket():  # expect: Exception ignored in: <socket
    socket.socket()

def test_dropped_socket_in_a_knot():  # expect: Exception ignored in: <socket
    knot = [socket.socket()]
    knot.append(knot)

def test_pty():  # expect: descriptor: .* -> /dev/pt
    os.openpty()

def test_pipe():  # expect: descriptor: .* -> pipe
    os.pipe()

def test_file(tmp_path):  # expect: descriptor: .*/kept
    KEPT.append((tmp_path / "kept").open("w"))

def test_thread():  # expect: thread: idler
    threading.Thread(target=threading.Event().wait, name="idler", daemon=True).start()

def test_child():  # expect: child process: .* cat
    child = subprocess.Popen("cat", stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
    child.stdin.write(b"?")
    assert child.stdout.read(1) == b"?"
    KEPT.append(child)

def test_child_never_waited_for():  # expect: child process
    KEPT.append(subprocess.Popen("true"))

def test_warning():  # expect: UserWarning: heed me
    warnings.warn("heed me")

async def test_tidy_server_thread_and_child():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()
    async with await asyncio.start_server(echo, "localhost", 0) as server:
        port = server.sockets[0].getsockname()[1]
        reader, writer = await asyncio.open_connection("localhost", port)
        writer.write(b"hello\\n")
        assert await reader.readline() == b"hello\\n"
        writer.close()
        await writer.wait_closed()
    child = await asyncio.create_subprocess_exec("cat", stdin=asyncio.subprocess.DEVNULL)
    assert await child.wait() == 0

async def test_task_about_to_end():
    asyncio.create_task(asyncio.sleep(0))

def test_tidy_process_pool():
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(1, spawn) as pool:
        assert pool.submit(int, "7").result() == 7
"""

PLANTED["tests/test_planted_waits.py"] = """
import asyncio, concurrent.futures, os, select, socket, sqlite3, subprocess, threading, time
import traceback
import pytest

@pytest.fixture
def file(tmp_path):
    with (tmp_path / "file").open("w") as file:
        yield file

@pytest.fixture
def database():
    connection = sqlite3.connect(":memory:")
    yield connection
    connection.close()

@pytest.fixture
def device(tmp_path):
    (tmp_path / "device").symlink_to("/dev/null")
    return tmp_path / "device"

async def test_sleep():  # expect: BlockingCall: time.sleep
    time.sleep(0)

async def test_device_that_waits(device):  # expect: BlockingCall: open
    os.open(device, os.O_RDWR)

async def test_callback(file):  # expect: os.fsync blocks the event loop
    asyncio.get_running_loop().call_soon(os.fsync, file.fileno())
    await asyncio.sleep(0)

async def test_swallowed():  # expect: time.sleep blocks the event loop
    try:
        time.sleep(0)
    except Exception:
        pass

async def test_open(file):  # expect: BlockingCall: open
    open(file.name)

async def test_flush(file):  # expect: BlockingCall: os.fsync
    os.fsync(file.fileno())

async def test_database():  # expect: BlockingCall: sqlite3.connect
    sqlite3.connect(":memory:")

async def test_statement(database):  # expect: sqlite3: select 1
    database.execute("select 1")

async def test_connect():  # expect: BlockingCall: socket.connect
    with socket.socket() as sock:
        sock.connect(("127.0.0.1", 9))

async def test_look_up():  # expect: BlockingCall: socket.getaddrinfo
    socket.getaddrinfo("localhost", 9)

async def test_child():  # expect: BlockingCall: subprocess.Popen
    subprocess.run("true")

async def test_select():  # expect: BlockingCall: select.select
    select.select([], [], [], 0.001)

async def test_result():  # expect: BlockingCall: concurrent.futures.Future.result
    concurrent.futures.Future().result(0.001)

async def test_join():  # expect: BlockingCall: threading.Thread.join
    thread = threading.Thread(target=sum, args=([],))
    try:
        thread.start()
        thread.is_alive = lambda: True
        thread.join()
    finally:
        del thread.is_alive
        await asyncio.to_thread(thread.join)

async def test_innocent_waits(file, device):
    await asyncio.to_thread(time.sleep, 0.001)
    await asyncio.to_thread(os.fsync, file.fileno())
    os.close(os.open(device, os.O_RDWR | os.O_NONBLOCK))
    open(file.fileno(), closefd=False).close()
    done = concurrent.futures.Future()
    done.set_result(7)
    assert done.result() == 7
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.setblocking(False)
        sock.connect(("127.0.0.1", 9))
    import mailbox
    try:
        raise ValueError
    except ValueError:
        traceback.format_exc()

def test_innocent_without_a_loop(file):
    time.sleep(0)
    open(file.name).close()
"""

PLANTED["tests/test_planted_clocks.py"] = """
import asyncio, time
import pytest

pytestmark = pytest.mark.clocks("wall", "hurried", "jumping")

async def test_task():  # expect: task: <Task pending
    asyncio.create_task(asyncio.sleep(60))

async def test_sleep():  # expect: BlockingCall: time.sleep
    time.sleep(0)

async def test_innocent(tmp_path):
    await asyncio.sleep(0.001)
    await asyncio.get_running_loop().run_in_executor(None, (tmp_path / "file").write_text, "")
"""
