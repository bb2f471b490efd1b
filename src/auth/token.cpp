#include "dpdkperf/auth/token.hpp"

#include "file.hpp"

#include <cerrno>
#include <system_error>
#include <vector>

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace dpdkperf::auth {

namespace {

using Bytes = std::vector<unsigned char>;

// A key with a pass phrase must not stop a server with a question.
int no_pass_phrase(char*, int, int, void*)
{
    return -1;
}

using Reader = EVP_PKEY* (*)(std::FILE*, EVP_PKEY**, pem_password_cb*, void*);

Result<Key> load_key(const std::string& path, Reader read, const char* kind)
{
    const File file = open_file(path);
    if (!file) {
        return Error{Errc::kNotFound, "'" + path + "': " + std::generic_category().message(errno)};
    }
    Key key{read(file.get(), nullptr, no_pass_phrase, nullptr), EVP_PKEY_free};
    ERR_clear_error();
    if (!key || EVP_PKEY_is_a(key.get(), "RSA") != 1) {
        return Error{Errc::kInput,
            "'" + path + "': no " + kind + " RSA key in PEM format without a pass phrase"};
    }
    return key;
}

struct ContextFree {
    void operator()(EVP_PKEY_CTX* context) const { EVP_PKEY_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_PKEY_CTX, ContextFree>;

int to_openssl(Padding padding)
{
    return padding == Padding::kOaep ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;
}

using Init = int (*)(EVP_PKEY_CTX*);
using Transform = int (*)(
    EVP_PKEY_CTX*, unsigned char*, std::size_t*, const unsigned char*, std::size_t);

// Encrypts or decrypts one block; nothing comes out of what does not fit.
std::optional<Bytes> transform(
    const Bytes& input, const Key& key, Padding padding, Init init, Transform run)
{
    const Context context{EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)};
    Bytes output(static_cast<std::size_t>(EVP_PKEY_get_size(key.get())));
    std::size_t bytes = output.size();
    const bool done = context && init(context.get()) > 0 &&
                      EVP_PKEY_CTX_set_rsa_padding(context.get(), to_openssl(padding)) > 0 &&
                      run(context.get(), output.data(), &bytes, input.data(), input.size()) > 0;
    ERR_clear_error();
    if (!done) {
        return {};
    }
    output.resize(bytes);
    return output;
}

std::string to_base64(const Bytes& bytes)
{
    std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');  // EVP adds a NUL
    const int length = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()), bytes.data(),
        static_cast<int>(bytes.size()));
    text.resize(static_cast<std::size_t>(length));
    return text;
}

std::optional<Bytes> from_base64(std::string_view text)
{
    const std::size_t padding = text.size() - (text.find_last_not_of('=') + 1);
    if (text.empty() || text.size() % 4 != 0 || padding > 2) {
        return {};
    }
    Bytes bytes(text.size() / 4 * 3);
    const int length = EVP_DecodeBlock(bytes.data(),
        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
    ERR_clear_error();
    // Blanks around the text are skipped by EVP: then there is less than was counted on.
    if (length != static_cast<int>(bytes.size())) {
        return {};
    }
    bytes.resize(bytes.size() - padding);
    return bytes;
}

}  // namespace

Result<Key> load_public_key(const std::string& path)
{
    return load_key(path, PEM_read_PUBKEY, "public");
}

Result<Key> load_private_key(const std::string& path)
{
    return load_key(path, PEM_read_PrivateKey, "private");
}

Result<std::string> seal(const Credentials& credentials, const Key& public_key, Padding padding)
{
    const std::string text = to_plain_text(credentials);
    const auto sealed = transform(
        {text.begin(), text.end()}, public_key, padding, EVP_PKEY_encrypt_init, EVP_PKEY_encrypt);
    if (!sealed) {
        return Error{Errc::kUsage, "user name and password are too long for an RSA key of " +
                                       std::to_string(EVP_PKEY_get_bits(public_key.get())) +
                                       " bits"};
    }
    return to_base64(*sealed);
}

std::optional<Credentials> unseal(std::string_view token, const Key& private_key, Padding padding)
{
    const auto sealed = from_base64(token);
    if (!sealed ||
        sealed->size() != static_cast<std::size_t>(EVP_PKEY_get_size(private_key.get()))) {
        return {};
    }
    auto text = transform(*sealed, private_key, padding, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt);
    if (!text) {
        return {};
    }
    auto credentials = from_plain_text({reinterpret_cast<const char*>(text->data()), text->size()});
    OPENSSL_cleanse(text->data(), text->size());
    return credentials;
}

}  // namespace dpdkperf::auth
