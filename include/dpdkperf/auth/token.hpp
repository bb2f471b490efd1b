#pragma once

#include "dpdkperf/base/result.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

// NOLINTNEXTLINE(readability-identifier-naming): OpenSSL's name
struct evp_pkey_st;

namespace dpdkperf::auth {

// How a token is encrypted. iperf3 uses OAEP from 3.17 on (CVE-2024-26306), PKCS#1 v1.5 before.
enum class Padding : std::uint8_t { kOaep, kPkcs1 };

// Who wants to use a server. Name and password have no blanks in them, and are not empty.
struct Credentials {
    std::string user, password;
    std::chrono::sys_seconds time;  // by the client's clock

    friend bool operator==(const Credentials&, const Credentials&) = default;
};

// Empty, or has a blank in it: a server would not read it as it was meant.
bool is_unreadable(std::string_view word);

// What a token encrypts (iperf 3.12, src/iperf_auth.c):
// "user: mario\npwd:  rossi\nts:   1795638066". Blanks between the parts are read as iperf3's
// sscanf() does: any number of them, or none.
std::string to_plain_text(const Credentials& credentials);
std::optional<Credentials> from_plain_text(std::string_view text);

// An RSA key as OpenSSL holds it.
using Key = std::shared_ptr<evp_pkey_st>;

// Both from PEM files. Errors name the file and the reason: kNotFound, or kInput for what is no
// RSA key of the kind, or one with a pass phrase.
Result<Key> load_public_key(const std::string& path);
Result<Key> load_private_key(const std::string& path);

// The token of a client's parameters, base64 without line breaks. Errors: the credentials are too
// long for the key.
Result<std::string> seal(const Credentials& credentials, const Key& public_key, Padding padding);

// Empty for whatever is no token made for this key with this padding.
std::optional<Credentials> unseal(std::string_view token, const Key& private_key, Padding padding);

}  // namespace dpdkperf::auth
