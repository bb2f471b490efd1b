#pragma once

#include "temporary_directory.hpp"

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>

#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace dpdkperf::test {

// A folder with two RSA keys, as openssl(1) would write them, and what a test adds.
class KeyFolder {
public:
    KeyFolder()
    {
        write_pair("", 2048);
        write_pair("other-", 2048);
        write_pair("short-", 512);
    }

    [[nodiscard]] std::string operator/(const std::string& name) const
    {
        return (folder_.path() / name).string();
    }

    void write(const std::string& name, const std::string& text) const
    {
        std::ofstream{folder_.path() / name} << text;
    }

private:
    using Pem = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

    [[nodiscard]] Pem open(const std::string& name) const
    {
        return {std::fopen((folder_.path() / name).c_str(), "w"), std::fclose};
    }

    void write_pair(const std::string& prefix, unsigned bits) const
    {
        const std::unique_ptr<EVP_PKEY, void (*)(EVP_PKEY*)> key{EVP_RSA_gen(bits), EVP_PKEY_free};
        PEM_write_PrivateKey(
            open(prefix + "private.pem").get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
        PEM_write_PUBKEY(open(prefix + "public.pem").get(), key.get());
        std::string phrase = "secret";
        PEM_write_PrivateKey(open(prefix + "locked.pem").get(), key.get(), EVP_aes_128_cbc(),
            reinterpret_cast<unsigned char*>(phrase.data()), static_cast<int>(phrase.size()),
            nullptr, nullptr);
    }

    const host::TemporaryDirectory folder_;
};

// Made once: keys take their time.
inline const KeyFolder& keys()
{
    static const KeyFolder folder;
    return folder;
}

}  // namespace dpdkperf::test
