// Runs when dpdkperf is built: writes its manual page, given the page's frame, or its completion
// for bash to standard output.

#include "dpdkperf/options/documents.hpp"

#include <cstdio>
#include <exception>
#include <fstream>
#include <iterator>
#include <string>

namespace {

int print(const std::string& text)
{
    return std::fputs(text.c_str(), stdout) >= 0 && std::fflush(stdout) == 0 ? 0 : 1;
}

int run(const std::string& document, const char* frame_file)
{
    if (document == "completion") {
        return print(dpdkperf::options::bash_completion());
    }
    std::ifstream file{frame_file != nullptr ? frame_file : ""};
    const std::string frame{std::istreambuf_iterator<char>{file}, {}};
    const auto page = dpdkperf::options::manual_page(frame);
    if (document != "manual" || frame.empty() || !page) {
        std::fprintf(stderr, "usage: write_documents completion | manual FRAME\n%s\n",
            page ? "" : page.error().message.c_str());
        return 1;
    }
    return print(*page);
}

}  // namespace

int main(int argc, char** argv)
{
    try {
        return run(argc > 1 ? argv[1] : "", argc > 2 ? argv[2] : nullptr);
    } catch (const std::exception& e) {
        std::fprintf(stderr, "%s\n", e.what());
        return 1;
    }
}
