#include "dpdkperf/auth/token.hpp"
#include "key_folder.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace dpdkperf::auth {
namespace {

using test::keys;

const Credentials kMario{
    "mario", "rossi", std::chrono::sys_seconds{std::chrono::seconds{1'795'638'066}}};

class Token : public testing::TestWithParam<Padding> {
protected:
    Key public_ = *load_public_key(keys() / "public.pem");
    Key private_ = *load_private_key(keys() / "private.pem");
};

TEST_P(Token, ComesBackWithItsKeyAndPadding)
{
    const auto token = seal(kMario, public_, GetParam());
    ASSERT_TRUE(token) << token.error().message;
    EXPECT_EQ(token->size(), 344U);  // 256 bytes in base64, without line breaks
    EXPECT_EQ(token->find('\n'), std::string::npos);
    EXPECT_EQ(unseal(*token, private_, GetParam()), kMario);
    EXPECT_NE(*token, *seal(kMario, public_, GetParam())) << "padding is random";
}

TEST_P(Token, NothingElseOpensIt)
{
    const std::string token = *seal(kMario, public_, GetParam());
    const Key other = *load_private_key(keys() / "other-private.pem");
    EXPECT_FALSE(unseal(token, other, GetParam()));
    const Padding other_padding = GetParam() == Padding::kOaep ? Padding::kPkcs1 : Padding::kOaep;
    EXPECT_FALSE(unseal(token, private_, other_padding));
}

TEST_P(Token, WhateverElseComesIsNone)
{
    const std::string token = *seal(kMario, public_, GetParam());
    std::string spoilt = token;
    spoilt[17] = spoilt[17] == 'A' ? 'B' : 'A';
    for (const std::string& text : {std::string{}, std::string{"="}, std::string{"===="},
             std::string{"user: mario\npwd:  rossi\nts:   1795638066"}, token.substr(4),
             token.substr(1), token + "AAAA", token + token, " " + token.substr(1), spoilt,
             std::string(344, 'A'), std::string(344, '/'), std::string(344, '='),
             std::string(8000, 'A'), std::string(344, '\xff'), std::string(344, '\0')}) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(unseal(text, private_, GetParam()));
    }
}

// 256 bytes less the padding's 42 (OAEP with SHA-1) or 11 (PKCS#1 v1.5).
TEST_P(Token, HoldsWhatTheKeyHoldsAndNoMore)
{
    const std::size_t room = GetParam() == Padding::kOaep ? 214 : 245;
    Credentials credentials = kMario;
    credentials.password.append(room - to_plain_text(kMario).size(), 'x');
    ASSERT_EQ(to_plain_text(credentials).size(), room);
    const auto full = seal(credentials, public_, GetParam());
    ASSERT_TRUE(full);
    EXPECT_EQ(unseal(*full, private_, GetParam()), credentials);

    credentials.password += 'x';
    const auto refused = seal(credentials, public_, GetParam());
    ASSERT_FALSE(refused);
    EXPECT_EQ(
        refused.error().message, "user name and password are too long for an RSA key of 2048 bits");
}

INSTANTIATE_TEST_SUITE_P(Paddings, Token, testing::Values(Padding::kOaep, Padding::kPkcs1),
    [](const auto& tested) { return tested.param == Padding::kOaep ? "Oaep" : "Pkcs1"; });

TEST(Keys, WhatIsNoneIsRefusedByNameAndReason)
{
    const auto missing = load_public_key("/nosuch.pem");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().message, "'/nosuch.pem': No such file or directory");

    const std::string locked = keys() / "locked.pem";
    const auto asks = load_private_key(locked);
    ASSERT_FALSE(asks);
    EXPECT_EQ(asks.error().message,
        "'" + locked + "': no private RSA key in PEM format without a pass phrase");
    EXPECT_FALSE(load_private_key(keys() / "public.pem"));
    EXPECT_FALSE(load_public_key(keys() / "private.pem"));
    EXPECT_FALSE(load_public_key("/dev/null"));
}

}  // namespace
}  // namespace dpdkperf::auth
