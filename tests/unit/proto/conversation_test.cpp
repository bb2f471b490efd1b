// Replays conversations between two stock iperf3 (conversations/*.json, made by record.py), with
// a Session of ours in the place of either.

#include "session_driver.hpp"

#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace dpdkperf::proto::test {
namespace {

using nlohmann::json;

struct Part {
    bool from_client = false;
    std::vector<std::byte> bytes;
};

struct Conversation {
    std::string name;
    std::vector<Part> parts;
};

std::vector<std::byte> from_hex(const std::string& hex)
{
    std::vector<std::byte> bytes;
    for (std::size_t i = 0; i < hex.size(); i += 2) {
        bytes.push_back(static_cast<std::byte>(std::stoi(hex.substr(i, 2), nullptr, 16)));
    }
    return bytes;
}

std::vector<Conversation> recorded()
{
    std::vector<Conversation> all;
    for (const auto& entry : std::filesystem::directory_iterator{DPDKPERF_CONVERSATIONS}) {
        std::ifstream file{entry.path()};
        const json document = json::parse(file);
        Conversation conversation{entry.path().stem().string(), {}};
        for (const json& message : document.at("messages")) {
            conversation.parts.push_back({message[0] == "client", from_hex(message[1])});
        }
        all.push_back(std::move(conversation));
    }
    return all;
}

// What one side said from beginning to end.
std::vector<std::byte> all_from(const Conversation& conversation, bool client)
{
    std::vector<std::byte> bytes;
    for (const Part& part : conversation.parts) {
        if (part.from_client == client) {
            bytes.insert(bytes.end(), part.bytes.begin(), part.bytes.end());
        }
    }
    return bytes;
}

// Cuts what a client said into its messages: cookie, parameters, TEST_END, results, IPERF_DONE.
// (A server's: 9, 10, 1, 2, 13, results, 14.)
std::vector<std::string> outline(std::span<const std::byte> bytes, bool client)
{
    std::vector<std::string> out;
    std::size_t at = client ? Cookie::kSize : 0;
    while (at < bytes.size()) {
        if (const auto message = message_from(bytes[at])) {
            out.emplace_back(name_of(*message));
            ++at;
            continue;
        }
        out.emplace_back("document");
        at += 4 + load_be<std::uint32_t>(&bytes[at]);
    }
    EXPECT_EQ(at, bytes.size()) << "a document is cut off";
    return out;
}

std::string document_in(std::span<const std::byte> bytes, std::size_t at)
{
    const auto length = load_be<std::uint32_t>(&bytes[at]);
    std::string text(length, '\0');
    std::memcpy(text.data(), &bytes[at + 4], length);
    return text;
}

// Plays our side's owner: does at once what the actions ask for.
class Owner {
public:
    explicit Owner(Session session) : session_{std::move(session)} {}

    void start() { carry_out(session_.start()); }
    void feed(std::span<const std::byte> bytes) { carry_out(session_.feed(bytes)); }
    void end_test() { carry_out(session_.end_test()); }

    std::vector<std::byte> sent;
    std::optional<Parameters> parameters;
    std::optional<Results> results;
    bool running = false, shown = false, finished = false;
    std::string failure;

private:
    void carry_out(const Actions& actions)
    {
        for (const Action& action : actions) {
            std::visit([this](const auto& a) { on(a); }, action);
        }
    }

    void on(const Traced&) {}
    void on(const Send& send) { sent.insert(sent.end(), send.bytes.begin(), send.bytes.end()); }
    void on(const CookieReceived&) { carry_out(session_.welcome()); }
    void on(const ParametersReceived& p)
    {
        parameters = p.parameters;
        carry_out(session_.accept());
        carry_out(session_.streams_open());
    }
    void on(const OpenStreams&) { carry_out(session_.streams_open()); }
    void on(const StartClock&) { EXPECT_FALSE(running); }
    void on(const StartTraffic&) { running = true; }
    void on(const EndOfTest&) { carry_out(session_.results(own_results())); }
    void on(const ResultsWanted&) { carry_out(session_.results(own_results())); }
    void on(const ResultsReceived& r) { results = r.results; }
    void on(const ShowSummary&) { shown = true; }
    void on(const Finished& f) { finished = f.clean; }
    void on(const PeerTerminated&) { failure = "terminated"; }
    void on(const Failed& f) { failure = f.message; }

    [[nodiscard]] Results own_results() const
    {
        Results results_to_send;
        for (std::uint32_t i = 0; i < session_.parameters().streams(); ++i) {
            StreamResult stream;
            stream.id = stream_id(i);
            results_to_send.streams.push_back(stream);
        }
        return results_to_send;
    }

    Session session_;
};

enum class Chunks { kAsRecorded, kByteByByte, kAllAtOnce };

// Feeds what the peer said; a server's words in one piece stop where it would have waited for us.
void play(Owner& owner, const Conversation& conversation, bool we_are_client, Chunks chunks)
{
    owner.start();
    std::vector<std::byte> heard;
    bool was_running = false;
    const auto flush = [&] {
        owner.feed(heard);
        heard.clear();
        if (we_are_client && owner.running && !was_running) {
            was_running = true;
            owner.end_test();
        }
    };
    for (const Part& part : conversation.parts) {
        if (part.from_client == we_are_client) {
            flush();
            continue;
        }
        for (const std::byte byte : part.bytes) {
            heard.push_back(byte);
            if (chunks == Chunks::kByteByByte) {
                flush();
            }
        }
        if (chunks == Chunks::kAsRecorded) {
            flush();
        }
    }
    flush();
}

class Recorded : public testing::TestWithParam<Chunks> {};
INSTANTIATE_TEST_SUITE_P(
    Cut, Recorded, testing::Values(Chunks::kAsRecorded, Chunks::kByteByByte, Chunks::kAllAtOnce));

TEST(Recorded312, ConversationsAreTheOnesWeExpect)
{
    EXPECT_EQ(recorded().size(), 6U);
}

TEST_P(Recorded, ServersAreTakenToTheEndByOurClient)
{
    for (const Conversation& conversation : recorded()) {
        SCOPED_TRACE(conversation.name);
        const auto client = all_from(conversation, true);
        auto parameters = parse_parameters(document_in(client, Cookie::kSize));
        ASSERT_TRUE(std::holds_alternative<Parameters>(parameters));
        Cookie cookie;
        std::memcpy(cookie.bytes.data(), client.data(), Cookie::kSize);

        Owner owner{Session::client(cookie, std::get<Parameters>(parameters))};
        play(owner, conversation, true, GetParam());

        EXPECT_EQ(owner.failure, "");
        EXPECT_TRUE(owner.shown);
        EXPECT_TRUE(owner.finished);
        ASSERT_TRUE(owner.results);
        EXPECT_EQ(owner.results->streams.size(), std::get<Parameters>(parameters).streams());
        EXPECT_EQ(outline(owner.sent, true), outline(client, true));
        EXPECT_TRUE(std::equal(client.begin(), client.begin() + Cookie::kSize, owner.sent.begin()));
    }
}

TEST_P(Recorded, ClientsAreTakenToTheEndByOurServer)
{
    for (const Conversation& conversation : recorded()) {
        SCOPED_TRACE(conversation.name);
        Owner owner{Session::server(std::chrono::seconds{120})};
        play(owner, conversation, false, GetParam());

        EXPECT_EQ(owner.failure, "");
        EXPECT_TRUE(owner.finished);
        ASSERT_TRUE(owner.parameters);
        EXPECT_EQ(owner.parameters->transport, Transport::kUdp);
        EXPECT_EQ(owner.parameters->client_version, "3.12");
        ASSERT_TRUE(owner.results);
        EXPECT_EQ(owner.results->streams.size(), owner.parameters->streams());
        EXPECT_EQ(outline(owner.sent, false), outline(all_from(conversation, false), false));
    }
}

// What we send means the same as what stock sends for the same options, key by key. We add
// gso and gro, and name ourselves.
TEST(Recorded312, ParametersOfOursSayTheSame)
{
    for (const Conversation& conversation : recorded()) {
        SCOPED_TRACE(conversation.name);
        const std::string theirs = document_in(all_from(conversation, true), Cookie::kSize);
        const auto parameters = std::get<Parameters>(parse_parameters(theirs));
        json ours = json::parse(*to_document(parameters));
        EXPECT_EQ(ours.at("gso"), 0);
        EXPECT_EQ(ours.at("gro"), 0);
        ours.erase("gso");
        ours.erase("gro");
        EXPECT_EQ(ours, json::parse(theirs));
    }
}

}  // namespace
}  // namespace dpdkperf::proto::test
