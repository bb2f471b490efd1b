"""A tree with violations: each must be found, and nothing else."""

import contextlib
import io
import pathlib
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "scripts"))
import check_layers  # noqa: E402

CLEAN = {
    "include/dpdkperf/base/units.hpp": "#pragma once\n#include <cstdint>\n",
    "include/dpdkperf/wire/udp.hpp": '#pragma once\n#include "dpdkperf/base/units.hpp"\n',
    "src/wire/udp.cpp": '#include "dpdkperf/wire/udp.hpp"\n#include "checksum.hpp"\n',
    "src/wire/checksum.hpp": "#pragma once\n",
    "drivers/families.cpp": "#include <rte_ethdev.h>\n",
    "tests/unit/wire/udp_test.cpp": '#include "dpdkperf/engine/anything.hpp"\n',
}


def problems_of(files, compile_headers=False):
    with tempfile.TemporaryDirectory() as folder:
        for name, text in {**CLEAN, **files}.items():
            path = pathlib.Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        output = io.StringIO()
        with contextlib.redirect_stdout(output):
            arguments = [folder] if compile_headers else ["--no-compile", folder]
            code = check_layers.main(arguments)
        return code, output.getvalue()


class CheckLayers(unittest.TestCase):
    def test_a_clean_tree_has_no_problems(self):
        self.assertEqual(problems_of({}, compile_headers=True), (0, ""))

    def test_finds_each_kind_of_violation(self):
        cases = [
            ("src/wire/a.cpp", '#include "dpdkperf/stats/counters.hpp"', "wire may not use stats"),
            ("src/base/a.cpp", '#include "dpdkperf/wire/udp.hpp"', "base may not use wire"),
            ("src/app/a.cpp", '#include "dpdkperf/wire/udp.hpp"', "app may not use wire"),
            ("src/wire/a.cpp", "#  include <rte_mbuf.h>", "wire may not use DPDK (rte_mbuf.h)"),
            ("src/wire/a.cpp", '#include "dpdkperf/nosuch/a.hpp"', "there is no module 'nosuch'"),
            ("src/wire/a.cpp", '#include "dpdkperf/base/no.hpp"', "base/no.hpp does not exist"),
            ("src/base/a.cpp", '#include "../wire/checksum.hpp"', "is private to wire"),
            ("src/base/a.cpp", '#include "wire/checksum.hpp"', "is private to wire"),
            ("include/dpdkperf/wire/b.hpp", '#include "checksum.hpp"', "includes the private"),
            ("src/extra/a.cpp", "", "belongs to no module"),
            ("drivers/a.cpp", '#include "dpdkperf/wire/udp.hpp"', "drivers may not use wire"),
        ]
        for path, line, message in cases:
            with self.subTest(path=path, line=line):
                code, output = problems_of({path: line + "\n"})
                self.assertEqual(code, 1)
                self.assertIn(path, output)
                self.assertIn(message, output)
                self.assertEqual(output.count("\n"), 1, output)

    def test_finds_a_header_that_does_not_compile_alone(self):
        needs_more = "#pragma once\nstd::uint32_t f();\n"
        code, output = problems_of({"include/dpdkperf/base/f.hpp": needs_more}, True)
        self.assertEqual(code, 1)
        self.assertIn("include/dpdkperf/base/f.hpp: does not compile alone", output)


if __name__ == "__main__":
    unittest.main()
