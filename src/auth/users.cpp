#include "dpdkperf/auth/users.hpp"

#include "file.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <system_error>

#include <openssl/crypto.h>
#include <openssl/evp.h>

namespace dpdkperf::auth {

namespace {

constexpr std::size_t kHashBytes = 32;
constexpr std::size_t kHashDigits = 2 * kHashBytes;

bool equal(std::string_view a, std::string_view b)
{
    return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace

std::string password_hash(std::string_view user, std::string_view password)
{
    std::string text = "{" + std::string{user} + "}" + std::string{password};
    std::array<unsigned char, kHashBytes> hash{};
    EVP_Digest(text.data(), text.size(), hash.data(), nullptr, EVP_sha256(), nullptr);
    OPENSSL_cleanse(text.data(), text.size());
    constexpr std::string_view kDigits = "0123456789abcdef";
    std::string digits;
    digits.reserve(kHashDigits);
    for (const unsigned char byte : hash) {
        digits += kDigits[byte >> 4U];
        digits += kDigits[byte & 15U];
    }
    return digits;
}

Users Users::parse(std::string_view text)
{
    Users users;
    while (!text.empty()) {
        const std::string_view line = text.substr(0, text.find_first_of("\r\n"));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const auto comma = line.find(',');
        if (comma != std::string_view::npos && !line.starts_with('#')) {
            const std::string_view rest = line.substr(comma + 1);
            users.lines_.push_back(
                {std::string{line.substr(0, comma)}, std::string{rest.substr(0, rest.find(','))}});
        }
    }
    return users;
}

Result<Users> Users::load(const std::string& path)
{
    std::string text;
    const File file = open_file(path);
    if (file) {
        std::array<char, 4096> part{};
        while (const std::size_t bytes = std::fread(part.data(), 1, part.size(), file.get())) {
            text.append(part.data(), bytes);
        }
    }
    if (!file || std::ferror(file.get()) != 0) {
        return Error{Errc::kNotFound, "cannot access authorized users file '" + path +
                                          "': " + std::generic_category().message(errno)};
    }
    return parse(text);
}

bool Users::know(std::string_view user, std::string_view password) const
{
    const std::string hash = password_hash(user, password);
    bool known = false;
    for (const Line& line : lines_) {
        const bool same_user = equal(line.user, user);
        const bool same_hash = equal(line.hash, hash);
        known |= same_user && same_hash;
    }
    return known;
}

}  // namespace dpdkperf::auth
