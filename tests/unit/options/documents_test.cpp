#include "dpdkperf/options/documents.hpp"
#include "option.hpp"
#include "shell.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

namespace dpdkperf::options {
namespace {

std::string contents(const std::string& path)
{
    std::ifstream file{path};
    EXPECT_TRUE(file) << path;
    return {std::istreambuf_iterator<char>{file}, {}};
}

std::string page()
{
    const auto manual = manual_page(contents(MANUAL_FRAME));
    EXPECT_TRUE(manual) << manual.error().message;
    return manual ? *manual : "";
}

// A file that is gone with the test.
class TemporaryFile {
public:
    explicit TemporaryFile(const std::string& text)
        : path_{std::filesystem::temp_directory_path() /
                ("dpdkperf-documents-" + std::to_string(getpid()))}
    {
        std::ofstream{path_} << text;
    }
    TemporaryFile(const TemporaryFile&) = delete;
    TemporaryFile& operator=(const TemporaryFile&) = delete;
    ~TemporaryFile()
    {
        std::error_code ignored;
        std::filesystem::remove(path_, ignored);
    }

    [[nodiscard]] std::string path() const { return path_.string(); }

private:
    std::filesystem::path path_;
};

std::string printed_by(const std::string& command)
{
    const ShellResult result = shell(command);
    EXPECT_EQ(result.status, 0) << command << ": " << result.output;
    return result.output;
}

TEST(Manual, DescribesEveryOptionThatIsTakenOrRefused)
{
    const std::string manual = page();
    for (const Option& option : option_table()) {
        std::string name = "--" + std::string{option.name};
        for (auto at = name.find('-'); at != std::string::npos; at = name.find('-', at + 2)) {
            name.insert(at, "\\");
        }
        const auto entry = manual.find("\\fB" + name + "\\fR");
        ASSERT_NE(entry, std::string::npos) << option.name;
        const auto line = manual.rfind('\n', entry);
        EXPECT_EQ(manual.compare(line - 4, 4, "\n.TP"), 0) << option.name;
    }
}

TEST(Manual, ListsWhatIsAcceptedWithoutEffect)
{
    const std::string manual = page();
    const auto list = manual.find(".SS Accepted");
    for (const std::string_view name : {"\\fB\\-\\-forceflush\\fR", "\\fB\\-\\-zerocopy\\fR",
             "\\fB\\-\\-skip\\-rx\\-copy\\fR", "\\fB\\-\\-gsro\\fR", "\\fB\\-\\-pacing\\-timer\\fR",
             "\\fB\\-\\-dont\\-fragment\\fR"}) {
        EXPECT_NE(manual.find(name, list), std::string::npos) << name;
    }
    EXPECT_EQ(manual.find("\\fB\\-\\-reverse\\fR", list), std::string::npos);
}

TEST(Manual, HasNoPartThatNobodyMakes)
{
    EXPECT_EQ(
        manual_page("text\n@NONSENSE@\n").error().message, "manual: unknown part '@NONSENSE@'");
    EXPECT_EQ(*manual_page(".SH A\ntext\n"), ".SH A\ntext\n");
    EXPECT_EQ(page().find("\n@"), std::string::npos);
}

TEST(Manual, IsGoodTroff)
{
    if (std::system("groff --version >/dev/null 2>&1") != 0) {  // NOLINT(concurrency-mt-unsafe)
        GTEST_SKIP() << "no groff";
    }
    const TemporaryFile file{page()};
    EXPECT_EQ(printed_by("groff -man -ww -z -Tutf8 " + file.path()), "");
    const std::string text = printed_by("groff -man -Tascii -P-cbou -rLL=200n " + file.path());
    EXPECT_NE(text.find("-b, --bitrate #[KMGT][/#] (also --bandwidth)"), std::string::npos) << text;
}

// What bash offers after `words`, the last of which is being typed.
std::set<std::string> offered(const std::vector<std::string>& words)
{
    std::string script = bash_completion() + "COMP_WORDS=(dpdkperf";
    for (const std::string& word : words) {
        script += " '" + word + "'";
    }
    script += ")\nCOMP_CWORD=" + std::to_string(words.size()) +
              "\n_dpdkperf\nprintf '%s\\n' \"${COMPREPLY[@]}\"\n";
    const TemporaryFile file{script};
    std::istringstream lines{printed_by("bash --norc " + file.path())};
    std::set<std::string> found;
    for (std::string line; std::getline(lines, line);) {
        if (!line.empty()) {
            found.insert(line);
        }
    }
    return found;
}

TEST(Completion, OffersEveryOptionThatIsTaken)
{
    std::set<std::string> taken;
    for (const Option& option : option_table()) {
        if (option.support == Support::kYes) {
            taken.insert("--" + std::string{option.name});
        }
    }
    EXPECT_EQ(offered({"--"}), taken);
    EXPECT_EQ(offered({"-c", "h", "--rev"}), (std::set<std::string>{"--reverse"}));
}

TEST(Completion, OffersValuesWhereThereIsAChoice)
{
    const std::set<std::string> both{"cubic", "reno"};
    EXPECT_EQ(offered({"-C", ""}), both);
    EXPECT_EQ(offered({"--congestion", "=", ""}), both);
    EXPECT_EQ(offered({"--congestion", "="}), both);
    EXPECT_EQ(offered({"-uRC", "c"}), (std::set<std::string>{"cubic"}));
    EXPECT_EQ(offered({"--linux-congestion", "r"}), (std::set<std::string>{"reno"}));
    EXPECT_EQ(offered({"--rx-csum", ""}), (std::set<std::string>{"auto", "full"}));
    EXPECT_TRUE(offered({"--bind-dev", "l"}).contains("lo"));
    // A number is nobody's guess, and no place for an option.
    EXPECT_TRUE(offered({"-t", "-"}).empty());
    // A switch takes no value.
    EXPECT_TRUE(offered({"-R", "--ti"}).contains("--time"));
}

}  // namespace
}  // namespace dpdkperf::options
