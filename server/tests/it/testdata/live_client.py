"""An independent client of the live feed: none of the hall's code, only the library `websockets`.

Follows `tally`, `overdue`, `open`, `whistle` and `case` over /live?format=json, is cut off again and again, resumes each time,
and checks what docs/live-protocol.md promises: no gap, no duplicate, and a state hash that agrees.

    python3 live_client.py ADDRESS CUTS UNTIL_SEQ_FILE [TOKEN]

Runs until the file names a sequence number and the log has reached it; prints one line of JSON with what it saw.
"""

import asyncio
import json
import os
import random
import sys
import urllib.request

import websockets

# Named anew in version 14.
HEADERS = "additional_headers" if int(websockets.__version__.split(".")[0]) >= 14 else "extra_headers"
TOPICS = ["tally", "overdue", "open", "whistle", "case"]


def fnv1a(text):
    value = 0xCBF29CE484222325
    for byte in text.encode():
        value = ((value ^ byte) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return value


class Topic:
    """What the client holds of one topic."""

    def __init__(self, name):
        self.name, self.epoch, self.version, self.rows = name, None, 0, {}

    def start(self, snapshot):
        self.epoch, self.version, self.rows = snapshot["epoch"], snapshot["version"], {}
        self.put(snapshot["payload"])

    def put(self, payload):
        changed = payload[self.name]
        if self.name == "tally":
            for key, count in changed:
                self.rows[key] = f"{count['cases']}/{count['base']}"
                if self.rows[key] == "0/0":
                    del self.rows[key]
        elif self.name == "case":
            for line in changed["lines"]:
                self.rows[line["seq"]] = line["name"]
        else:
            # Rows of `open` bring the words they use.
            for row in changed["rows"] if self.name == "open" else changed:
                if row["row"] is None:
                    self.rows.pop(row["id"], None)
                else:
                    self.rows[row["id"]] = row["version"]

    def hash(self):
        value = 0
        for key, row in self.rows.items():
            value ^= fnv1a(f"{key}={row}")
        return f"{value:016x}"


class Client:
    def __init__(self, address, token):
        self.address, self.token = address, token
        self.topics = {name: Topic(name) for name in TOPICS}
        self.first_seq = None
        self.faults, self.hashes, self.resyncs, self.deltas = [], 0, 0, 0

    def headers(self):
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def snapshot(self, topic):
        url = f"http://{self.address}/api/v1/live/snapshot?topic={topic.name}&format=json"
        request = urllib.request.Request(url, headers=self.headers())
        with urllib.request.urlopen(request, timeout=30) as answer:
            topic.start(json.load(answer))

    async def start(self, topic):
        await asyncio.to_thread(self.snapshot, topic)
        if topic.name == "case" and self.first_seq is None:
            self.first_seq = topic.version + 1
            topic.rows = {}

    async def connect(self):
        socket = await websockets.connect(
            f"ws://{self.address}/live?format=json", max_size=None, **{HEADERS: self.headers()}
        )
        await socket.send(json.dumps({"hello": {"protocol": 3}}))
        for topic in self.topics.values():
            await self.subscribe(socket, topic)
        return socket

    async def subscribe(self, socket, topic):
        if topic.epoch is None:
            await self.start(topic)
        where = {"topic": topic.name, "epoch": topic.epoch, "from": topic.version}
        await socket.send(json.dumps({"subscribe": where}))

    async def apply(self, socket, delta):
        topic = self.topics[delta["topic"]]
        if delta["from"] == delta["to"] == topic.version:
            # The answer to a subscription that misses nothing.
            return
        if delta["to"] <= topic.version:
            self.faults.append(f"{topic.name}: duplicate to {delta['to']} at {topic.version}")
        elif delta["from"] != topic.version:
            self.faults.append(f"{topic.name}: gap, from {delta['from']} at {topic.version}")
        else:
            if topic.name == "case":
                events = delta["payload"]["case"]
                if events["since"] != topic.version:
                    self.faults.append(f"case: lines since {events['since']} at {topic.version}")
                expected = topic.version + 1
                for line in events["lines"]:
                    if line["seq"] != expected:
                        self.faults.append(f"case: event {line['seq']} where {expected} belongs")
                    expected = line["seq"] + 1
            topic.put(delta["payload"])
            topic.version = delta["to"]
            self.deltas += 1

    async def take(self, socket, message):
        kind, body = next(iter(json.loads(message).items()))
        if kind == "deltas":
            for delta in body["deltas"]:
                await self.apply(socket, delta)
        elif kind == "heartbeat":
            for name, version, value in body["hashes"]:
                topic = self.topics.get(name)
                if topic is not None and version <= topic.version <= body["head"]:
                    self.hashes += 1
                    if topic.hash() != value:
                        self.faults.append(f"{name}: hash {topic.hash()} differs from {value} at {version}")
        elif kind == "resync":
            self.resyncs += 1
            topic = self.topics[body["topic"]]
            if topic.name == "case":
                self.faults.append(f"case: resync {body['reason']}")
            topic.epoch = None
            await self.subscribe(socket, topic)
        elif kind == "refused":
            self.faults.append(f"refused: {body}")


async def run(address, cuts, until_file, token):
    client, cut = Client(address, token), 0
    until, agreed = None, 0
    while True:
        socket = await client.connect()
        messages = random.randint(0, 12)
        while cut >= cuts or messages > 0:
            messages -= 1
            await client.take(socket, await asyncio.wait_for(socket.recv(), 60))
            if until is None and os.path.exists(until_file):
                text = open(until_file).read().strip()
                until = int(text) if text else None
            case = client.topics["case"]
            if cut >= cuts and until is not None and case.version >= until:
                agreed = agreed or client.hashes
                # Four more comparisons after the last event: one of each keyed topic.
                if client.hashes >= agreed + 4 or client.faults:
                    await socket.close()
                    seqs = sorted(case.rows)
                    whole = seqs == list(range(client.first_seq, case.version + 1))
                    return {
                        "cuts": cut,
                        "events": len(seqs),
                        "whole": whole,
                        "deltas": client.deltas,
                        "hashes": client.hashes,
                        "resyncs": client.resyncs,
                        "faults": client.faults[:20],
                    }
        cut += 1
        if cut == cuts:
            # Whoever makes the load may stop now.
            open(f"{until_file}.cut", "w").close()
        # Without a goodbye, as a pulled cable.
        socket.transport.abort()


if __name__ == "__main__":
    token = sys.argv[4] if len(sys.argv) > 4 else None
    print(json.dumps(asyncio.run(run(sys.argv[1], int(sys.argv[2]), sys.argv[3], token))))
