#include "program.hpp"

#include "dpdkperf/tcp/connection.hpp"
#include "dpdkperf/wire/tcp_header.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstring>
#include <set>
#include <vector>

namespace dpdkperf::tcp::fuzz {

namespace {

using wire::kTcpAck;
using wire::kTcpRst;
using wire::kTcpSyn;

constexpr std::size_t kMaxSteps = 400;
constexpr int kMaxSegmentsPerStep = 2'000;
// A reset and a SYN are the most that one segment may provoke beside what data flow allows.
constexpr int kMaxAnswers = 2;

class Reader {
public:
    explicit Reader(std::span<const std::uint8_t> bytes) : bytes_{bytes} {}

    [[nodiscard]] bool empty() const { return bytes_.empty(); }
    std::uint8_t byte()
    {
        if (bytes_.empty()) {
            return 0;
        }
        const std::uint8_t b = bytes_.front();
        bytes_ = bytes_.subspan(1);
        return b;
    }
    std::uint16_t word() { return static_cast<std::uint16_t>(byte() << 8U | byte()); }
    // A distance that is often small, sometimes a window, sometimes half the space.
    std::uint32_t distance()
    {
        const std::uint8_t how = byte();
        const auto small = static_cast<std::uint32_t>(static_cast<std::int8_t>(byte()));
        switch (how % 6) {
        case 0:
            return 0;
        case 1:
            return small;
        case 2:
            return small * 1448;
        case 3:
            return small << 16U;
        case 4:
            return small << 24U;
        default:
            return word();
        }
    }

private:
    std::span<const std::uint8_t> bytes_;
};

class Machine {
public:
    explicit Machine(Reader& reader) : reader_{reader}
    {
        const std::uint8_t how = reader.byte();
        Settings settings;
        settings.initial_sequence = (how & 1U) != 0 ? 0xffff'fff0 : 1'000;
        settings.sack = (how & 2U) == 0;
        settings.timestamps = (how & 4U) == 0;
        settings.ecn = (how & 8U) != 0;
        settings.max_burst_bytes = (how & 16U) != 0 ? 65'000 : 0;
        settings.no_delay = (how & 64U) != 0;
        next_ = una_ = settings.initial_sequence + 1;
        if ((how & 32U) != 0) {
            connection_.listen(settings, now_);
        } else {
            connection_.connect(settings, now_);
        }
        pull();
    }

    std::string run()
    {
        for (std::size_t i = 0; i < kMaxSteps && !reader_.empty() && fault_.empty(); ++i) {
            step();
            check();
        }
        return fault_;
    }

private:
    void step()
    {
        answers_ = 0;
        injected_ = false;
        switch (reader_.byte() % 8) {
        case 0:
            now_ +=
                std::chrono::microseconds{std::uint64_t{reader_.byte()} << (reader_.byte() % 24)};
            break;
        case 1:
            inject_raw();
            break;
        case 2:
            application();
            break;
        case 3:
            connection_.on_path_mtu(una_ + reader_.distance(), reader_.word(), now_);
            break;
        default:
            inject();
        }
        pull();
    }

    void inject()
    {
        wire::TcpHeader h;
        static constexpr std::uint8_t kFlags[] = {kTcpAck, kTcpAck, kTcpAck,
            kTcpAck | wire::kTcpPsh, kTcpSyn, kTcpSyn | kTcpAck, kTcpRst, kTcpRst | kTcpAck,
            kTcpAck | wire::kTcpFin};
        const std::uint8_t pick = reader_.byte();
        h.flags = pick < 250 ? kFlags[pick % std::size(kFlags)] : reader_.byte();
        h.sequence = expected_ + reader_.distance();
        h.acknowledgment = (pick & 64U) != 0 ? next_ : una_ + reader_.distance();
        h.window = reader_.word();
        const std::uint8_t options = reader_.byte();
        if ((options & 1U) == 0) {
            h.options.timestamps = {
                timestamp_ += reader_.byte() % 16U, our_timestamp_ - reader_.byte() % 4U};
        }
        if ((h.flags & kTcpSyn) != 0) {
            h.options.mss = reader_.word();
            h.options.window_scale = reader_.byte();
            h.options.sack_permitted = (options & 2U) == 0;
        } else {
            h.options.sack_count = options >> 2U & 3U;
            for (std::size_t i = 0; i < h.options.sack_count; ++i) {
                const std::uint32_t left = una_ + reader_.distance();
                h.options.sack[i] = {left, left + reader_.distance()};
            }
        }
        const std::uint32_t length = (options & 16U) != 0 ? reader_.word() % 9'000U : 0;
        arrive(h, length);
    }

    void inject_raw()
    {
        std::array<std::byte, wire::kMaxTcpSize> raw{};
        const std::size_t n = reader_.byte() % (raw.size() + 1);
        for (std::size_t i = 0; i < n; ++i) {
            raw[i] = std::byte{reader_.byte()};
        }
        if (const auto parsed = wire::parse_tcp_header({raw.data(), n})) {
            if (parsed->header_bytes > n) {
                fault_ = "the parser read past the end";
            }
            arrive(parsed->header, 0);
        }
    }

    void arrive(const wire::TcpHeader& h, std::uint32_t length)
    {
        injected_ = true;
        last_ = h;
        edges_.insert(h.sequence + length);
        before_ = connection_.state();
        connection_.on_segment({.header = h, .payload_bytes = length, .head = {}}, now_);
        const bool established = before_ != State::kSynSent && before_ != State::kSynReceived &&
                                 before_ != State::kListen && before_ != State::kClosed;
        if (established && connection_.info(now_).close_reason == CloseReason::kReset &&
            connection_.state() == State::kClosed &&
            ((h.flags & kTcpRst) == 0 ||
                (h.sequence != expected_now_ && !edges_.contains(h.sequence)))) {
            fault_ = "closed by something that is no exact reset";
        }
    }

    void application()
    {
        const std::uint8_t what = reader_.byte();
        if (what < 200) {
            offered_ =
                std::max<std::uint64_t>(offered_, std::uint64_t{reader_.word()} << (what % 8));
            connection_.offer(offered_);
        } else if (what < 250) {
            connection_.close(now_);
        } else {
            connection_.abort(now_);
        }
    }

    void pull()
    {
        Segment segment;
        int n = 0;
        while (fault_.empty() && connection_.next_segment(now_, segment)) {
            note(segment);
            if (++n > kMaxSegmentsPerStep) {
                fault_ = "segments without end";
            }
        }
        if (fault_.empty() && connection_.next_deadline() <= now_) {
            fault_ = "a deadline has passed, and nothing was done about it";
        }
    }

    void note(const Segment& segment)
    {
        const wire::TcpHeader& h = segment.header;
        const std::uint32_t end = h.sequence + segment.payload_bytes +
                                  ((h.flags & (wire::kTcpFin | kTcpSyn)) != 0 ? 1U : 0U);
        if (static_cast<std::int32_t>(end - next_) > 0) {
            next_ = end;
        }
        if ((h.flags & kTcpAck) != 0 && (h.flags & kTcpRst) == 0) {
            expected_ = expected_now_ = h.acknowledgment;
        }
        if (h.options.timestamps) {
            our_timestamp_ = h.options.timestamps->value;
        }
        if (wire::tcp_header_size(h.options) > wire::kMaxTcpSize) {
            fault_ = "options that do not fit a header";
        }
        if (segment.payload_bytes > 0 && segment.packet_payload_bytes == 0) {
            fault_ = "a payload without a packet size";
        }
        if (injected_ && segment.payload_bytes == 0 && ++answers_ > kMaxAnswers) {
            fault_ = "too many answers to one segment";
        }
    }

    void check()
    {
        if (const char* broken = connection_.broken_invariant(); broken != nullptr) {
            fault_ = broken;
        }
        if (connection_.acknowledged() > offered_) {
            fault_ = "more was acknowledged than was offered";
        }
        una_ = next_ - connection_.info(now_).segments_in_flight * 1'448;
    }

    Reader& reader_;
    Connection connection_{{.segments_in_flight = 64}};
    Moment now_{std::chrono::hours{1}};
    std::string fault_;
    std::uint32_t next_ = 0, una_ = 0;                 // of our stream, roughly
    std::uint32_t expected_ = 77, expected_now_ = 77;  // RCV.NXT as last told
    std::uint32_t timestamp_ = 0, our_timestamp_ = 0;
    std::uint64_t offered_ = 0;
    std::set<std::uint32_t> edges_;
    wire::TcpHeader last_;
    State before_ = State::kClosed;
    bool injected_ = false;
    int answers_ = 0;
};

}  // namespace

std::string run_program(std::span<const std::uint8_t> bytes)
{
    Reader reader{bytes};
    Machine machine{reader};
    return machine.run();
}

std::string run_options(std::span<const std::uint8_t> bytes)
{
    std::vector<std::byte> header(wire::kTcpSize + std::min<std::size_t>(bytes.size(), 40) / 4 * 4);
    if (header.size() > wire::kTcpSize) {
        std::memcpy(&header[wire::kTcpSize], bytes.data(), header.size() - wire::kTcpSize);
    }
    header[wire::kTcpDataOffset] = static_cast<std::byte>(header.size() / 4 << 4U);
    for (const std::uint8_t flags : {kTcpSyn, kTcpAck}) {
        header[wire::kTcpFlags] = std::byte{flags};
        const auto parsed = wire::parse_tcp_header(header);
        if (!parsed || parsed->header_bytes != header.size() ||
            parsed->header.options.sack_count > wire::kMaxSackBlocks) {
            return "a header of good length was not read";
        }
        const auto& o = parsed->header.options;
        if (flags == kTcpAck && (o.mss || o.window_scale || o.sack_permitted)) {
            return "an option of a SYN was taken from another segment";
        }
    }
    return "";
}

}  // namespace dpdkperf::tcp::fuzz
