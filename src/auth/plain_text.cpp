// The text inside a token.

#include "dpdkperf/auth/token.hpp"

#include <algorithm>
#include <charconv>

namespace dpdkperf::auth {

namespace {

// isspace() of the C locale, which both iperf3's sscanf() and its users' terminals mean.
constexpr std::string_view kBlanks = " \t\n\v\f\r";

void skip_blanks(std::string_view& text)
{
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
}

// The word behind `label`; empty if there is none.
std::string_view take_word(std::string_view& text, std::string_view label)
{
    skip_blanks(text);
    if (!text.starts_with(label)) {
        return {};
    }
    text.remove_prefix(label.size());
    skip_blanks(text);
    const std::string_view word = text.substr(0, text.find_first_of(kBlanks));
    text.remove_prefix(word.size());
    return word;
}

}  // namespace

bool is_unreadable(std::string_view word)
{
    return word.empty() || word.find_first_of(kBlanks) != std::string_view::npos;
}

std::string to_plain_text(const Credentials& credentials)
{
    return "user: " + credentials.user + "\npwd:  " + credentials.password +
           "\nts:   " + std::to_string(credentials.time.time_since_epoch().count());
}

std::optional<Credentials> from_plain_text(std::string_view text)
{
    const std::string_view user = take_word(text, "user:");
    const std::string_view password = take_word(text, "pwd:");
    const std::string_view time = take_word(text, "ts:");
    std::int64_t seconds = 0;
    const char* const end = time.data() + time.size();
    const auto [stop, problem] = std::from_chars(time.data(), end, seconds);
    const bool number = !time.empty() && problem == std::errc{} && stop == end;
    if (user.empty() || password.empty() || !number) {
        return {};
    }
    return Credentials{std::string{user}, std::string{password},
        std::chrono::sys_seconds{std::chrono::seconds{seconds}}};
}

}  // namespace dpdkperf::auth
