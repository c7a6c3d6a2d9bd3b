"""A second implementation of docs/protocol.md, of the dialling side, with blocking sockets and the standard library.

It was written from that page and proto/wire.proto. It knows frames, the messages in them, the handshake and the counting
of frames; what is called is the business of client.py.
"""

import hashlib
import os
import socket
import struct
from dataclasses import dataclass, field

PREFACE = bytes.fromhex("8947524d0d0a1a01")

REQUEST, ONEWAY, REPLY, ITEM, END, ERROR, CANCEL, SKIP = range(0x01, 0x09)
HELLO, HELLO_OK, REJECT, PING, PONG, ACK, GOAWAY = range(0x80, 0x87)
COUNTED_BELOW = 0x80

CODES = [
    "ok", "cancelled", "unknown", "invalid_argument", "deadline_exceeded", "not_found", "already_exists",
    "permission_denied", "resource_exhausted", "failed_precondition", "aborted", "out_of_range", "unimplemented",
    "internal", "unavailable", "data_loss", "unauthenticated",
]  # fmt: skip

# No check waits for anything longer; what takes longer is a failure.
GUARD_SECONDS = 20


def method_id(full_name):
    return int.from_bytes(hashlib.sha256(full_name.encode("utf-8")).digest()[:4], "big")


# Fields of protocol buffers.


def varint(value):
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)
    return bytes(out)


def uint_field(number, value):
    return varint(number << 3) + varint(value) if value else b""


def bytes_field(number, value):
    data = value.encode("utf-8") if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(data)) + data


def fields(data):
    """The fields of a message: pairs of number and value (int or bytes)."""
    at = 0
    while at < len(data):
        tag, at = read_varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = read_varint(data, at)
        elif wire_type == 2:
            size, at = read_varint(data, at)
            value, at = data[at : at + size], at + size
        elif wire_type == 5:
            value, at = struct.unpack("<I", data[at : at + 4])[0], at + 4
        else:
            raise ValueError(f"wire type {wire_type}")
        if at > len(data):
            raise ValueError("the message ends within a field")
        yield number, value


def read_varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7


def metadata_fields(number, metadata):
    out = b""
    for key, value in metadata.items():
        entry = bytes_field(1, key) + bytes_field(2 if isinstance(value, str) else 3, value)
        out += bytes_field(number, entry)
    return out


def read_entry(data):
    key, value = "", ""
    for number, content in fields(data):
        if number == 1:
            key = content.decode("utf-8")
        elif number == 2:
            value = content.decode("utf-8")
        elif number == 3:
            value = bytes(content)
    return key, value


def read_message(data, names, **defaults):
    """A message as a dict: `names` says what each field number is called, and how its value is read."""
    message = dict(defaults)
    for number, value in fields(data):
        if number not in names:
            continue
        name, read = names[number]
        if name == "metadata":
            key, content = read_entry(value)
            message["metadata"] = {**message.get("metadata", {}), key: content}
        else:
            message[name] = read(value)
    return message


def text(value):
    return value.decode("utf-8")


def read_status(data):
    names = {1: ("code", lambda n: CODES[n]), 2: ("message", text), 3: ("metadata", None), 4: ("not_executed", bool)}
    return read_message(data, names, code="unknown", message="", metadata={}, not_executed=False)


HELLO_OK_FIELDS = {
    1: ("version", int), 2: ("node_id", text), 3: ("incarnation", bytes), 4: ("frame_max_bytes", int),
    5: ("serves_calls", bool), 6: ("metadata", None), 7: ("session_id", bytes), 8: ("resumed", bool),
    9: ("received_frames", int), 10: ("session_ttl_ms", int), 11: ("request_bytes_allowed", int),
}  # fmt: skip
REJECT_FIELDS = {1: ("why", read_status), 2: ("version_min", int), 3: ("version_max", int), 4: ("retry", bool)}
ACK_FIELDS = {1: ("received_frames", int), 2: ("sent_frames", int), 3: ("request_bytes_allowed", int)}
GOAWAY_FIELDS = {1: ("last_frame", int), 2: ("why", read_status)}
HEADER_FIELDS = {1: ("timeout_ms", int), 2: ("metadata", None)}


def read_ack(data):
    return read_message(data, ACK_FIELDS, received_frames=0, sent_frames=0, request_bytes_allowed=0)


def call_header(timeout_ms=0, metadata=None):
    time = b"\x0d" + struct.pack("<I", timeout_ms) if timeout_ms else b""
    return time + metadata_fields(2, metadata or {})


def make_frame(kind, msg_id=0, method=0, header=b"", payload=b""):
    length = 12 + len(header) + len(payload)
    return struct.pack(">IBBHII", length, kind, 0, len(header), msg_id, method) + header + payload


@dataclass
class Frame:
    kind: int
    msg_id: int
    method: int
    header: bytes
    payload: bytes

    @property
    def metadata(self):
        return read_message(self.header, HEADER_FIELDS, metadata={})["metadata"]


class Closed(Exception):
    """The other side has closed the connection."""


class Rejected(Exception):
    def __init__(self, reject):
        super().__init__(reject["why"]["message"])
        self.reject = reject


INCARNATION = os.urandom(16)
_attach_epoch = 0


def next_attach_epoch():
    global _attach_epoch
    _attach_epoch += 1
    return _attach_epoch


def hello_payload(cluster_id="", node_id="", expected_node_id="", serves_calls=False, metadata=None, **more):
    return (
        uint_field(1, more.get("version_min", 1))
        + uint_field(2, more.get("version_max", 1))
        + bytes_field(3, cluster_id)
        + bytes_field(4, node_id)
        + bytes_field(5, expected_node_id)
        + bytes_field(6, more.get("incarnation", INCARNATION))
        + uint_field(7, more.get("frame_max_bytes", 1 << 20))
        + uint_field(8, serves_calls)
        + metadata_fields(9, metadata or {})
        + uint_field(12, next_attach_epoch())
        + uint_field(14, more.get("request_bytes_allowed", 1 << 20))
    )


@dataclass
class Connection:
    """An established connection: counts frames both ways, answers PING, and acknowledges."""

    sock: socket.socket
    hello_ok: dict = field(default_factory=dict)
    sent: int = 0
    received: int = 0
    request_bytes_sent: int = 0
    peer_ack: dict = field(default_factory=lambda: {"received_frames": 0, "request_bytes_allowed": 0})
    handlers: dict = field(default_factory=dict)
    next_msg_id: int = 1
    goaways: list = field(default_factory=list)
    pongs: list = field(default_factory=list)

    @classmethod
    def dial(cls, host, port, byte_by_byte=False, **hello):
        connection = cls(socket.create_connection((host, port), timeout=GUARD_SECONDS))
        opening = PREFACE + make_frame(HELLO, payload=hello_payload(**hello))
        for chunk in [opening[i : i + 1] for i in range(len(opening))] if byte_by_byte else [opening]:
            connection.send_raw(chunk)
        if connection.read_exactly(8) != PREFACE:
            raise ValueError("the acceptor's preface is another")
        answer = connection.read_raw_frame()
        if answer.kind == REJECT:
            reject = read_message(answer.payload, REJECT_FIELDS, version_min=0, version_max=0, retry=False)
            raise Rejected(reject)
        if answer.kind != HELLO_OK:
            raise ValueError(f"frame 0x{answer.kind:02x} in place of HELLO_OK")
        connection.hello_ok = read_message(
            answer.payload, HELLO_OK_FIELDS, node_id="", metadata={}, session_id=b"", resumed=False, serves_calls=False
        )
        connection.peer_ack["request_bytes_allowed"] = connection.hello_ok["request_bytes_allowed"]
        connection.send_ack()
        return connection

    def send_raw(self, data):
        self.sock.sendall(data)

    def send(self, kind, msg_id=0, method=0, header=b"", payload=b""):
        data = make_frame(kind, msg_id, method, header, payload)
        if kind < COUNTED_BELOW:
            self.sent += 1
        if kind in (REQUEST, ONEWAY):
            self.request_bytes_sent += len(data)
            if self.request_bytes_sent > self.peer_ack["request_bytes_allowed"]:
                raise ValueError("these checks are small enough to need no waiting")
        self.send_raw(data)

    def send_ack(self):
        allowed = (1 << 20) + self.request_bytes_sent
        self.send(ACK, payload=uint_field(1, self.received) + uint_field(2, self.sent) + uint_field(3, allowed))

    def read_exactly(self, size):
        data = b""
        while len(data) < size:
            try:
                chunk = self.sock.recv(size - len(data))
            except ConnectionResetError:
                chunk = b""
            if not chunk:
                raise Closed(data)
            data += chunk
        return data

    def read_raw_frame(self):
        length, kind, flags, header_bytes, msg_id, method = struct.unpack(">IBBHII", self.read_exactly(16))
        if flags != 0:
            raise ValueError(f"flags {flags}")
        rest = self.read_exactly(length - 12)
        return Frame(kind, msg_id, method, rest[:header_bytes], rest[header_bytes:])

    def step(self):
        """Takes one frame: returns it if it is an answer, does what it asks for otherwise and returns None."""
        frame = self.read_raw_frame()
        if frame.kind < COUNTED_BELOW:
            self.received += 1
            self.send_ack()
        if frame.kind == PING:
            self.send(PONG, payload=frame.payload)
        elif frame.kind == PONG:
            self.pongs.append(frame.payload)
        elif frame.kind == ACK:
            self.take_ack(read_ack(frame.payload))
        elif frame.kind == GOAWAY:
            self.goaways.append(read_message(frame.payload, GOAWAY_FIELDS, last_frame=0))
        elif frame.kind in (REQUEST, ONEWAY):
            self.handlers[frame.method](self, frame)
        elif frame.kind in (REPLY, ITEM, END, ERROR):
            return frame
        return None

    def take_ack(self, ack):
        if ack["sent_frames"] != self.received:
            raise ValueError(f"the other side counts {ack['sent_frames']} frames, {self.received} have arrived")
        if not self.peer_ack["received_frames"] <= ack["received_frames"] <= self.sent:
            raise ValueError(f"received_frames {ack['received_frames']} is out of range")
        if ack["request_bytes_allowed"] < self.peer_ack["request_bytes_allowed"]:
            raise ValueError("allowed bytes were taken back")
        self.peer_ack = ack

    def until(self, condition):
        while not condition():
            self.step()

    def start(self, full_name, payload, kind=REQUEST, **header):
        """Sends a request; returns its msgID."""
        msg_id = self.next_msg_id
        self.next_msg_id += 1
        self.send(kind, msg_id, method_id(full_name), call_header(**header), payload)
        return msg_id

    def answers(self, msg_id, full_name):
        """The frames that answer a request, the final one included. Answers to others would be a failure."""
        while True:
            frame = self.step()
            if frame is None:
                continue
            if (frame.msg_id, frame.method) != (msg_id, method_id(full_name)):
                raise ValueError(f"an answer to {frame.msg_id} of 0x{frame.method:08x}")
            yield frame
            if frame.kind != ITEM:
                return

    def read_until_closed(self):
        try:
            while True:
                self.step()
        except Closed:
            pass
