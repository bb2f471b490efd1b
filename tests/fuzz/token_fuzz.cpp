// Authentication against a peer that sends anything. The first byte says what the rest is: a token
// as it comes, a text that somebody has encrypted with our key, or a file of users.

#include "dpdkperf/auth/token.hpp"
#include "dpdkperf/auth/users.hpp"

#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include <openssl/evp.h>
#include <openssl/rsa.h>

namespace {

using namespace dpdkperf::auth;
using Bytes = std::vector<unsigned char>;

// Short, so that there are many runs in a second.
constexpr unsigned kKeyBits = 1024;

void must(bool holds)
{
    if (!holds) {
        std::abort();
    }
}

const Key& key()
{
    static const Key made{EVP_RSA_gen(kKeyBits), EVP_PKEY_free};
    return made;
}

// Not by seal(), which encrypts nothing but credentials. Empty if the text is too long.
std::string encrypted(const std::string& text)
{
    const std::unique_ptr<EVP_PKEY_CTX, void (*)(EVP_PKEY_CTX*)> context{
        EVP_PKEY_CTX_new_from_pkey(nullptr, key().get(), nullptr), EVP_PKEY_CTX_free};
    Bytes bytes(kKeyBits / 8);
    std::size_t length = bytes.size();
    if (EVP_PKEY_encrypt_init(context.get()) <= 0 ||
        EVP_PKEY_CTX_set_rsa_padding(context.get(), RSA_PKCS1_OAEP_PADDING) <= 0 ||
        EVP_PKEY_encrypt(context.get(), bytes.data(), &length,
            reinterpret_cast<const unsigned char*>(text.data()), text.size()) <= 0) {
        return {};
    }
    std::string token(4 * ((length + 2) / 3) + 1, '\0');
    EVP_EncodeBlock(
        reinterpret_cast<unsigned char*>(token.data()), bytes.data(), static_cast<int>(length));
    token.pop_back();
    return token;
}

void take_plain_text(const std::string& text)
{
    const auto credentials = from_plain_text(text);
    if (credentials) {
        must(!is_unreadable(credentials->user) && !is_unreadable(credentials->password));
        must(from_plain_text(to_plain_text(*credentials)) == credentials);
    }
    const std::string token = encrypted(text);
    if (!token.empty()) {
        must(unseal(token, key(), Padding::kOaep) == credentials);
    }
}

void take_users(const std::string& text)
{
    const Users users = Users::parse(text);
    const std::string more = "\nmario," + password_hash("mario", "rossi");
    must(!users.know("mario", "rossi") || text.find("mario,") != std::string::npos);
    must(Users::parse(text + more).know("mario", "rossi"));
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t bytes)
{
    if (bytes == 0) {
        return 0;
    }
    const std::string rest(data + 1, data + bytes);
    switch (data[0] % 3) {
    case 0:
        // Nobody without the key's other half makes one that is taken.
        must(!unseal(rest, key(), Padding::kOaep));
        (void)unseal(rest, key(), Padding::kPkcs1);
        break;
    case 1:
        take_plain_text(rest);
        break;
    default:
        take_users(rest);
        break;
    }
    return 0;
}
