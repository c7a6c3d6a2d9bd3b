"""Talks to a server of the TypeScript implementation and prints what it saw, as one JSON object: python3 client.py PORT."""

import json
import os
import socket
import sys

import protocol as wire
from msgpack_subset import pack, unpack

HOST, PORT = "127.0.0.1", int(sys.argv[1])
SERVICE = "interop.Notes/"
CLUSTER = "interop"


def name(method):
    return f"{SERVICE}{method}+msgpack"


def dial(**hello):
    return wire.Connection.dial(HOST, PORT, **{"cluster_id": CLUSTER, "expected_node_id": "notes", **hello})


def describe(frame):
    """An answer as JSON can say it."""
    kind = {wire.REPLY: "reply", wire.ITEM: "item", wire.END: "end", wire.ERROR: "error"}[frame.kind]
    if frame.kind == wire.ERROR:
        return {"kind": kind, **wire.read_status(frame.payload)}
    value = unpack(frame.payload) if frame.payload else None
    return {"kind": kind, "value": value, "metadata": frame.metadata}


def call(connection, method, value, **header):
    msg_id = connection.start(name(method), pack(value), **header)
    return [describe(frame) for frame in connection.answers(msg_id, name(method))]


def handshake(connection):
    ok = connection.hello_ok
    return {
        "version": ok["version"], "node_id": ok["node_id"], "serves_calls": ok["serves_calls"],
        "metadata": ok["metadata"], "incarnation_bytes": len(ok["incarnation"]),
        "session_id_bytes": len(ok["session_id"]), "frame_max_bytes": ok["frame_max_bytes"],
    }  # fmt: skip


def rpc(connection):
    values = {"small": 7, "negative": -3000, "wide": 2**40, "half": 0.5, "text": "grüße", "none": None, "list": [True, []]}
    return call(connection, "echo", values)


def large_rpc(connection):
    [answer] = call(connection, "echo", "x" * 300_000)
    return {"kind": answer["kind"], "length": len(answer["value"])}


def stream(connection):
    return call(connection, "countTo", {"last": 3})


def one_way_then_rpc(connection):
    for note in ("first", "second"):
        connection.start(name("note"), pack({"text": note}), kind=wire.ONEWAY)
    return call(connection, "notes", None)


def metadata_and_deadline(connection):
    return call(connection, "inspect", None, timeout_ms=15_000, metadata={"trace": "7f3a", "token": b"\x00\xff"})


def handler_error(connection):
    return call(connection, "fail", None)


def unknown_method(connection):
    return call(connection, "noSuchMethod", None)


def undecodable_request(connection):
    msg_id = connection.start(name("echo"), b"\xc1")
    return [describe(frame) for frame in connection.answers(msg_id, name("echo"))]


def cancel(connection):
    msg_id = connection.start(name("waitForCancel"), pack(None))
    connection.send(wire.CANCEL, msg_id, wire.method_id(name("waitForCancel")))
    return [describe(frame) for frame in connection.answers(msg_id, name("waitForCancel"))]


def called_back(connection):
    """The handler of callBack calls `double` on this side, over this connection, before it answers."""

    def double(connection, frame):
        value = pack(unpack(frame.payload) * 2)
        connection.send(wire.REPLY, frame.msg_id, frame.method, b"", value)

    connection.handlers[wire.method_id(name("double"))] = double
    return call(connection, "callBack", 21)


def ping(connection):
    connection.send(wire.PING, payload=b"12345678")
    connection.until(lambda: connection.pongs)
    return {"pong": connection.pongs[0].decode("ascii")}


def acknowledged(connection):
    """All counted frames are acknowledged in the end, and their bytes may be used again."""
    window = connection.hello_ok["request_bytes_allowed"]
    connection.until(lambda: connection.peer_ack["received_frames"] == connection.sent)
    connection.until(lambda: connection.peer_ack["request_bytes_allowed"] == window + connection.request_bytes_sent)
    return {"frames": connection.sent > 0, "bytes": connection.request_bytes_sent > 300_000}


def skipped_kind(connection):
    """Kinds from 0xC0 on are passed over."""
    connection.send(0xC7, payload=b"what may come")
    return call(connection, "echo", "still here")


def wrong_preface():
    results = {}
    for what, data in (("http", b"GET / HTTP/1.1\r\n\r\n"), ("last byte", wire.PREFACE[:7] + b"\x02")):
        with socket.create_connection((HOST, PORT), timeout=wire.GUARD_SECONDS) as sock:
            sock.sendall(data)
            try:
                results[what] = len(sock.recv(100))
            except ConnectionResetError:
                results[what] = 0
    return results


def rejected(**hello):
    try:
        dial(**hello)
    except wire.Rejected as error:
        reject = error.reject
        return {"code": reject["why"]["code"], "retry": reject["retry"], "versions": [reject["version_min"], reject["version_max"]]}
    return None


def violation(data, before_hello=False):
    """Sends what no correct side sends; returns the code of the GOAWAY that follows, in front of the end of the stream."""
    if before_hello:
        connection = wire.Connection(socket.create_connection((HOST, PORT), timeout=wire.GUARD_SECONDS))
        connection.send_raw(wire.PREFACE + data)
        assert connection.read_exactly(8) == wire.PREFACE
    else:
        connection = dial(incarnation=os.urandom(16))
        connection.send_raw(data)
    connection.read_until_closed()
    [goaway] = connection.goaways
    return {"code": goaway["why"]["code"], "last_frame": goaway["last_frame"], "not_executed": goaway["why"]["not_executed"]}


def violations():
    frame = wire.make_frame
    return {
        "unknown kind": violation(frame(0x42)),
        "request without msgID": violation(frame(wire.REQUEST, 0, 1)),
        "length below 12": violation(b"\x00\x00\x00\x0b\x01"),
        "length above the limit": violation(b"\xff\xff\xff\xff\x02"),
        "cancel with a payload": violation(frame(wire.CANCEL, 1, 1, payload=b"x")),
        "pong without ping": violation(frame(wire.PONG, payload=b"12345678")),
        "ack of frames that were not sent": violation(frame(wire.ACK, payload=wire.uint_field(1, 1))),
        "request before hello": violation(frame(wire.REQUEST, 1, 1), before_hello=True),
    }


def draining(connection):
    """The server says that it takes no more, finishes what it has, says that it closes, and closes."""
    msg_id = connection.start(name("closeServer"), pack(None))
    answers = [describe(frame) for frame in connection.answers(msg_id, name("closeServer"))]
    connection.read_until_closed()
    goaways = [
        {"code": each["why"]["code"], "not_executed": each["why"]["not_executed"], "is_all": each["last_frame"] == connection.sent}
        for each in connection.goaways
    ]
    return {"answers": answers, "goaways": goaways}


def hex_bytes(value):
    if isinstance(value, bytes):
        return {"hex": value.hex()}
    raise TypeError(type(value))


def main():
    connection = dial(serves_calls=True, metadata={"language": "python"}, byte_by_byte=True)
    results = {
        check.__name__: check(connection)
        for check in (
            handshake, rpc, large_rpc, stream, one_way_then_rpc, metadata_and_deadline, handler_error, unknown_method,
            undecodable_request, cancel, called_back, ping, skipped_kind, acknowledged,
        )
    }  # fmt: skip
    results["wrong_preface"] = wrong_preface()
    results["wrong_cluster"] = rejected(cluster_id="another", incarnation=os.urandom(16))
    results["wrong_node"] = rejected(expected_node_id="another", incarnation=os.urandom(16))
    results["wrong_version"] = rejected(version_min=2, version_max=9, incarnation=os.urandom(16))
    results["violations"] = violations()
    results["draining"] = draining(connection)
    json.dump(results, sys.stdout, default=hex_bytes)


main()
