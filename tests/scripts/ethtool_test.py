"""ethtool's requests, without a card."""

import pathlib
import struct
import sys
import unittest
from unittest import mock

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))

from bind_lib import ethtool  # noqa: E402

HEADER = struct.Struct("IIIIB3xI")  # struct ethtool_rxfh (linux/ethtool.h)
TABLE, KEY = (0, 1, 0, 1), b"\x6d\x5a"
STATE = {"indirection": list(TABLE), "key": KEY.hex(), "function": 1}


class Rss(unittest.TestCase):
    def setUp(self):
        self.sent = []
        patch = mock.patch.object(ethtool, "_call", self.call)
        patch.start()
        self.addCleanup(patch.stop)

    def call(self, interface, request):
        command = struct.unpack_from("I", request)[0]
        if command == ethtool.GET_RSS:
            header = HEADER.pack(command, 0, len(TABLE), len(KEY), 1, 0)
            return (header + struct.pack("4I", *TABLE) + KEY)[: len(request)]
        self.sent.append(request)
        return request

    def test_state_is_read(self):
        self.assertEqual(ethtool.rss("eth1"), STATE)

    def test_what_is_so_already_is_not_asked_for(self):
        # The kernel refuses a request without a change (net/ethtool/ioctl.c, ethtool_set_rxfh()).
        ethtool.set_rss("eth1", STATE)
        self.assertEqual(self.sent, [])

    def test_only_what_differs_is_asked_for(self):
        ethtool.set_rss("eth1", {**STATE, "indirection": [1, 1, 1, 1]})
        self.assertEqual(HEADER.unpack_from(self.sent[0])[2:5], (4, 0, 0))
        ethtool.set_rss("eth1", {**STATE, "key": "0102"})
        self.assertEqual(
            HEADER.unpack_from(self.sent[1])[2:5], (ethtool.INDIRECTION_UNCHANGED, 2, 0)
        )


if __name__ == "__main__":
    unittest.main()
