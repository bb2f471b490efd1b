#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace dpdkperf::test {

// A folder with two RSA keys, as openssl(1) would write them, and what a test adds.
class KeyFolder {
public:
    KeyFolder()
    {
        std::string name = (std::filesystem::temp_directory_path() / "dpdkperf-XXXXXX").string();
        if (mkdtemp(name.data()) == nullptr) {
            throw std::runtime_error{"mkdtemp " + name};
        }
        path_ = name;
        write_pair("", 2048);
        write_pair("other-", 2048);
        write_pair("short-", 512);
    }
    KeyFolder(const KeyFolder&) = delete;
    KeyFolder& operator=(const KeyFolder&) = delete;
    ~KeyFolder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }

    [[nodiscard]] std::string operator/(const std::string& name) const
    {
        return (path_ / name).string();
    }

    void write(const std::string& name, const std::string& text) const
    {
        std::ofstream{path_ / name} << text;
    }

private:
    using Pem = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

    [[nodiscard]] Pem open(const std::string& name) const
    {
        return {std::fopen((path_ / name).c_str(), "w"), std::fclose};
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

    std::filesystem::path path_;
};

// Made once: keys take their time.
inline const KeyFolder& keys()
{
    static const KeyFolder folder;
    return folder;
}

}  // namespace dpdkperf::test
