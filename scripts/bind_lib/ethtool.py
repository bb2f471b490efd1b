"""Ring, channel, RSS and offload settings by ioctl (linux/ethtool.h, Linux 6.1).

Not by ethtool(8), which cannot set an indirection table entry by entry.
"""

import array
import fcntl
import socket
import struct

SIOCETHTOOL = 0x8946
GET_RING, SET_RING = 0x10, 0x11
GET_STRINGS = 0x1B
GET_PERMANENT_ADDRESS = 0x20
GET_STRING_SETS = 0x37
GET_FEATURES, SET_FEATURES = 0x3A, 0x3B
GET_CHANNELS, SET_CHANNELS = 0x3C, 0x3D
GET_RSS, SET_RSS = 0x46, 0x47
FEATURE_STRINGS = 4  # ETH_SS_FEATURES
STRING_BYTES = 32  # ETH_GSTRING_LEN
INDIRECTION_UNCHANGED = 0xFFFFFFFF  # ETH_RXFH_INDIR_NO_CHANGE

# The words of struct ethtool_ringparam and ethtool_channels after cmd and the four maxima.
RING = ("rx", "rx_mini", "rx_jumbo", "tx")
CHANNELS = ("rx", "tx", "other", "combined")


def _call(interface, request):
    """Hands `request` to the driver and returns what it made of it; OSError as it comes."""
    buffer = array.array("B", request)
    argument = struct.pack("16sP16x", interface.encode(), buffer.buffer_info()[0])
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, SIOCETHTOOL, argument)
    return buffer.tobytes()


def _words(interface, command, names):
    """Current values of a structure of nine words; empty if the driver has none."""
    try:
        values = struct.unpack("9I", _call(interface, struct.pack("9I", command, *[0] * 8)))
    except OSError:
        return {}
    return dict(zip(names, values[5:]))


def _set_words(interface, get, put, names, wanted):
    now = struct.unpack("9I", _call(interface, struct.pack("9I", get, *[0] * 8)))
    changed = (wanted.get(name, now[5 + index]) for index, name in enumerate(names))
    _call(interface, struct.pack("9I", put, *now[1:5], *changed))


def ring(interface):
    return _words(interface, GET_RING, RING)


def set_ring(interface, wanted):
    _set_words(interface, GET_RING, SET_RING, RING, wanted)


def channels(interface):
    return _words(interface, GET_CHANNELS, CHANNELS)


def set_channels(interface, wanted):
    _set_words(interface, GET_CHANNELS, SET_CHANNELS, CHANNELS, wanted)


def permanent_mac(interface):
    """The address that is burnt in, or the one that the driver began with; "" without one."""
    try:
        answer = _call(interface, struct.pack("II32x", GET_PERMANENT_ADDRESS, 32))
    except OSError:
        return ""
    size = struct.unpack_from("I", answer, 4)[0]
    return answer[8 : 8 + size].hex(":") if any(answer[8 : 8 + size]) else ""


def rss(interface):
    """Indirection table, key (hex) and hash function's bit; empty if the driver has none."""
    header = struct.Struct("IIIIB3xI")
    try:
        sizes = header.unpack(_call(interface, header.pack(GET_RSS, 0, 0, 0, 0, 0)))
        request = header.pack(GET_RSS, 0, sizes[2], sizes[3], 0, 0)
        answer = _call(interface, request + bytes(4 * sizes[2] + sizes[3]))
    except OSError:
        return {}
    entries, key_bytes, function = header.unpack_from(answer)[2:5]
    table = struct.unpack_from(f"{entries}I", answer, header.size)
    key = answer[header.size + 4 * entries :][:key_bytes]
    return {"indirection": list(table), "key": key.hex(), "function": function}


def set_rss(interface, wanted):
    """Sets what differs and nothing else: many drivers cannot set all three."""
    now = rss(interface)
    table = wanted["indirection"] if wanted["indirection"] != now.get("indirection") else None
    key = bytes.fromhex(wanted["key"]) if wanted["key"] != now.get("key") else b""
    function = wanted["function"] if wanted["function"] != now.get("function") else 0
    if table is None and not key and not function:
        return  # no request may be empty; a driver that has just come up may have set it itself
    entries = INDIRECTION_UNCHANGED if table is None else len(table)
    request = struct.pack("IIIIB3xI", SET_RSS, 0, entries, len(key), function, 0)
    _call(interface, request + struct.pack(f"{len(table or ())}I", *(table or ())) + key)


def _feature_names(interface):
    request = struct.pack("IIQI", GET_STRING_SETS, 0, 1 << FEATURE_STRINGS, 0)
    count = struct.unpack_from("I", _call(interface, request), 16)[0]
    request = struct.pack("III", GET_STRINGS, FEATURE_STRINGS, count) + bytes(STRING_BYTES * count)
    text = _call(interface, request)[12:]
    strings = (text[n * STRING_BYTES : (n + 1) * STRING_BYTES] for n in range(count))
    return [string.split(b"\0")[0].decode() for string in strings]


def offloads(interface):
    """What is asked of the interface: {name: on}, of those features that can be changed."""
    try:
        names = _feature_names(interface)
        blocks = (len(names) + 31) // 32
        request = struct.pack("II", GET_FEATURES, blocks) + bytes(16 * blocks)
        answer = _call(interface, request)
    except OSError:
        return {}
    found = {}
    for index, name in enumerate(names):
        # struct ethtool_get_features_block: available, requested, active, never_changed
        block = struct.unpack_from("4I", answer, 8 + index // 32 * 16)
        bit = 1 << index % 32
        if name and block[0] & bit and not block[3] & bit:
            found[name] = bool(block[1] & bit)
    return found


def set_offloads(interface, wanted):
    """Sets those named in `wanted`, all at once."""
    names = _feature_names(interface)
    blocks = [[0, 0] for _ in range((len(names) + 31) // 32)]
    for index, name in enumerate(names):
        if name in wanted:
            blocks[index // 32][0] |= 1 << index % 32
            blocks[index // 32][1] |= wanted[name] << index % 32
    words = [word for block in blocks for word in block]
    _call(interface, struct.pack(f"II{len(words)}I", SET_FEATURES, len(blocks), *words))
