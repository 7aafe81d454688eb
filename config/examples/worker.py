#!/usr/bin/env python3
"""A worker for a queue of Limpet, with the standard library only. Put your work into handle().

    LIMPET_SOCKET=/run/limpet/limpet.sock config/examples/worker.py jobs

What handle() returns is the result. A ValueError is never tried again, any other exception is tried
again later. SIGTERM interrupts it and gives its task back, unharmed.
"""
import http.client, json, os, signal, socket, sys, threading, time

LEASE_MS = 30000


def handle(payload):
    if not isinstance(payload, dict) or "text" not in payload:
        raise ValueError("the payload has no text")
    return {"words": len(payload["text"].split())}


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(os.environ.get("LIMPET_SOCKET", "/run/limpet/limpet.sock"))


def post(path, body):
    connection = Connection("limpet", timeout=90)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, json.load(response)
    except (OSError, http.client.HTTPException) as error:
        return 503, {"detail": str(error)}
    finally:
        connection.close()  # a lease that is still waited for ends with its connection


def keep(task, done):
    while not done.wait(LEASE_MS / 3000):
        post(f"/v1/tasks/{task['id']}/extend", {"token": task["token"], "lease_ms": LEASE_MS})


def work(task):
    done = threading.Event()
    threading.Thread(target=keep, args=(task, done), daemon=True).start()
    verdict, body = "nack", {"release": True}  # stays so when a signal interrupts
    try:
        verdict, body = "ack", {"result": handle(task["payload"])}
    except ValueError as error:
        body = {"permanent": True, "reason": str(error)}
    except Exception as error:
        body = {"reason": repr(error)}
    finally:
        done.set()
        post(f"/v1/tasks/{task['id']}/{verdict}", {"token": task["token"], **body})


def main(queue):
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    while True:
        lease = {"wait_ms": 20000, "lease_ms": LEASE_MS}
        status, answer = post(f"/v1/queues/{queue}/lease", lease)
        for task in answer.get("tasks", []):
            work(task)
        if status != 200:
            print(answer.get("detail"), file=sys.stderr)
            time.sleep(answer.get("retry_after_ms", 1000) / 1000)


if __name__ == "__main__":
    main(sys.argv[1]) if len(sys.argv) == 2 else sys.exit(__doc__)
