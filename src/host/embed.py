#!/usr/bin/env python3
"""Turn files into C++ constants: embed.py OUTPUT NAME=FILE..."""

import sys

HEAD = """#include "bpf_objects.hpp"

namespace dpdkperf::host {
"""

# libbpf reads the bytes as ELF structures, hence the alignment.
CONSTANT = """
namespace {{

alignas(8) constexpr unsigned char k_{name}[] = {{
{rows}
}};

}}  // namespace

std::span<const std::byte> {name}()
{{
    return std::as_bytes(std::span{{k_{name}}});
}}
"""


def constant(name, data):
    rows = (data[i : i + 16] for i in range(0, len(data), 16))
    text = "\n".join("    " + " ".join(f"{b}," for b in row) for row in rows)
    return CONSTANT.format(name=name, rows=text)


def main():
    output, *pairs = sys.argv[1:]
    with open(output, "w", encoding="ascii") as out:
        out.write(HEAD)
        for pair in pairs:
            name, path = pair.split("=", 1)
            with open(path, "rb") as source:
                out.write(constant(name, source.read()))
        out.write("\n}  // namespace dpdkperf::host\n")


main()
