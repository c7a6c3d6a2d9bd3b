"""MessagePack, as much of it as the checks need: None, bool, int, float, str, bytes, list and dict. Nothing else."""

import struct


def pack(value):
    if value is None:
        return b"\xc0"
    if value is True:
        return b"\xc3"
    if value is False:
        return b"\xc2"
    if isinstance(value, int):
        return _pack_int(value)
    if isinstance(value, float):
        return b"\xcb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode("utf-8")
        return _head(len(text), 0xA0, 32, b"\xd9", b"\xda", b"\xdb") + text
    if isinstance(value, bytes):
        return _head(len(value), 0, 0, b"\xc4", b"\xc5", b"\xc6") + value
    if isinstance(value, list):
        return _head(len(value), 0x90, 16, None, b"\xdc", b"\xdd") + b"".join(map(pack, value))
    if isinstance(value, dict):
        entries = b"".join(pack(key) + pack(item) for key, item in value.items())
        return _head(len(value), 0x80, 16, None, b"\xde", b"\xdf") + entries
    raise TypeError(f"can not be packed: {value!r}")


def _pack_int(value):
    if 0 <= value < 128:
        return bytes([value])
    if -32 <= value < 0:
        return struct.pack(">b", value)
    if 0 <= value < 2**64:
        for token, form, limit in ((0xCC, ">B", 2**8), (0xCD, ">H", 2**16), (0xCE, ">I", 2**32), (0xCF, ">Q", 2**64)):
            if value < limit:
                return bytes([token]) + struct.pack(form, value)
    for token, form, limit in ((0xD0, ">b", 2**7), (0xD1, ">h", 2**15), (0xD2, ">i", 2**31), (0xD3, ">q", 2**63)):
        if -limit <= value < limit:
            return bytes([token]) + struct.pack(form, value)
    raise ValueError(f"{value} has more than 64 bits")


def _head(size, short, short_limit, token8, token16, token32):
    if size < short_limit:
        return bytes([short | size])
    if token8 is not None and size < 2**8:
        return token8 + struct.pack(">B", size)
    if size < 2**16:
        return token16 + struct.pack(">H", size)
    return token32 + struct.pack(">I", size)


def unpack(data):
    value, end = _unpack(data, 0)
    if end != len(data):
        raise ValueError(f"{len(data) - end} bytes follow the value")
    return value


_FIXED = {
    0xCA: ">f", 0xCB: ">d", 0xCC: ">B", 0xCD: ">H", 0xCE: ">I", 0xCF: ">Q",
    0xD0: ">b", 0xD1: ">h", 0xD2: ">i", 0xD3: ">q",
}
_SIZED = {
    0xC4: (">B", "bytes"), 0xC5: (">H", "bytes"), 0xC6: (">I", "bytes"),
    0xD9: (">B", "text"), 0xDA: (">H", "text"), 0xDB: (">I", "text"),
    0xDC: (">H", "list"), 0xDD: (">I", "list"), 0xDE: (">H", "map"), 0xDF: (">I", "map"),
}


def _unpack(data, at):
    token = data[at]
    at += 1
    if token < 0x80:
        return token, at
    if token >= 0xE0:
        return token - 256, at
    if token < 0x90:
        return _content(data, at, token & 0x0F, "map")
    if token < 0xA0:
        return _content(data, at, token & 0x0F, "list")
    if token < 0xC0:
        return _content(data, at, token & 0x1F, "text")
    if token in (0xC0, 0xC2, 0xC3):
        return {0xC0: None, 0xC2: False, 0xC3: True}[token], at
    if token in _FIXED:
        form = _FIXED[token]
        end = at + struct.calcsize(form)
        return struct.unpack(form, data[at:end])[0], end
    if token in _SIZED:
        form, what = _SIZED[token]
        end = at + struct.calcsize(form)
        return _content(data, end, struct.unpack(form, data[at:end])[0], what)
    raise ValueError(f"token 0x{token:02x} is not in the subset")


def _content(data, at, size, what):
    if what == "text" or what == "bytes":
        end = at + size
        if end > len(data):
            raise ValueError("the data ends inside a value")
        return (data[at:end].decode("utf-8") if what == "text" else data[at:end]), end
    items = []
    for _ in range(size * (2 if what == "map" else 1)):
        item, at = _unpack(data, at)
        items.append(item)
    return (dict(zip(items[::2], items[1::2])) if what == "map" else items), at
