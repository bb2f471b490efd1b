#include "extras.hpp"

#include "health.hpp"
#include "link_use.hpp"
#include "numbers.hpp"
#include "sums.hpp"
#include "text_lines.hpp"

#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

namespace dpdkperf::report {

namespace {

// Parts of a line are collected first and joined by commas then.
using Parts = std::vector<std::string>;

void add_rate(Parts& parts, std::int64_t packets, std::chrono::nanoseconds time, const char* verb)
{
    if (time.count() > 0) {
        const double rate = static_cast<double>(packets) / to_seconds(time);
        parts.push_back(print("%.0f packets/s %s", rate, verb));
    }
}

void add_count(Parts& parts, std::uint64_t count, const char* what)
{
    if (count != 0) {
        parts.push_back(std::to_string(count) + ' ' + what);
    }
}

std::string joined(const Parts& parts)
{
    std::string text;
    for (const std::string& part : parts) {
        text += (text.empty() ? "" : ", ") + part;
    }
    return text;
}

// "[  5] 812743 packets/s sent, 12 truly lost (0.0015%), 17 turns with a full ring"
std::string stream_line(const stats::StreamTotal& stream, std::uint64_t block)
{
    Parts parts;
    if (stream.sent) {
        add_rate(parts, stream.sent->packets, stream.sent->time, "sent");
    }
    if (const auto arrived = arrivals(stream, block); arrived && stream.received) {
        add_rate(parts, *arrived, stream.received->time, "received");
    }
    if (const auto lost = true_loss(stream, block)) {
        parts.push_back(print("%lld truly lost (%.2g%%)", static_cast<long long>(*lost),
            percent(*lost, stream.sent->packets)));
    }
    add_count(parts, stream.duplicates.value_or(0), "duplicates");
    add_count(parts, stream.ring_full.value_or(0), "turns with a full ring");
    return print("[%3d] ", stream.socket) + joined(parts);
}

// "[  5] 2 recoveries, 1 of them spurious, reordering of 7 segments"; empty after a quiet life.
std::string health_line(const stats::StreamTotal& stream)
{
    constexpr std::uint64_t kInitialReordering = 3;  // RFC 5681, 3.2
    Parts parts;
    for (const HealthRow& row : kHealthRows) {
        add_count(parts, stream.health.*row.count, row.text);
    }
    if (stream.reordering > kInitialReordering) {
        parts.push_back("reordering of " + std::to_string(stream.reordering) + " segments");
    }
    return parts.empty() ? "" : print("[%3d] ", stream.socket) + joined(parts);
}

// Empty if nothing went wrong.
std::string port_line(const stats::PortTotal& port)
{
    Parts parts;
    add_count(parts, port.bad_checksum, "bad checksums");
    add_count(parts, port.bad_length, "bad lengths");
    add_count(parts, port.unexpected, "strangers' packets");
    add_count(parts, port.pool_empty, "turns without a buffer");
    add_count(parts, port.not_handed_over, "packets lost between pollers");
    return parts.empty() ? "" : port.interface + " (" + port.driver + "): " + joined(parts);
}

// "sent 1000 packets/s: 8.34 Mbits/sec of frames, 8.53 Mbits/sec on the wire, 0.085% of the link"
std::string way_line(const char* verb, const stats::FrameCount& count,
    std::chrono::nanoseconds time, const std::optional<BitRate>& link)
{
    const PacketRates rates = rates_of(count, time);
    std::string line = print("%s %.0f packets/s: ", verb, rates.packets_per_second) +
                       rate_text(rates.frame_bits_per_second) + "s/sec of frames, " +
                       rate_text(rates.wire_bits_per_second) + "s/sec on the wire";
    if (link) {
        line +=
            print(", %.3g%% of the link", share_percent(rates.wire_bits_per_second, link->bps()));
    }
    return line;
}

class ExtrasSink final : public stats::ReportSink {
public:
    ExtrasSink(Style style, std::ostream& err) : style_{std::move(style)}, err_{err} {}

    void listening(std::uint16_t, std::uint64_t) override {}
    void accepted(const Endpoint&) override {}
    void connecting(const std::string&, std::uint16_t, bool) override {}
    void started(const stats::TestSettings& settings) override
    {
        block_bytes_ = settings.block_bytes;
        udp_ = settings.udp;
    }
    void connected(const std::vector<stats::Connection>&) override {}
    void interval(const stats::IntervalReport&) override {}

    void summary(const stats::Summary& summary) override
    {
        std::string text = stream_lines(summary);
        for (const std::string& line : port_lines(summary)) {
            text += mark() + line + '\n';
        }
        err_ << text << std::flush;
    }

    void server_output(const stats::ServerOutput&) override {}
    void failed(const std::string&) override {}
    void warned(const std::string&) override {}
    void relay(std::function<void(stats::ServerOutput)>) override {}
    void traced(const stats::Trace&) override {}
    void finished(bool) override {}

private:
    [[nodiscard]] std::string stream_lines(const stats::Summary& summary) const
    {
        std::string text;
        for (const stats::StreamTotal& stream : summary.streams) {
            const std::string line = udp_ ? stream_line(stream, block_bytes_) : health_line(stream);
            text += line.empty() ? "" : mark() + line + '\n';
        }
        return text;
    }

    // What went wrong on the port, if anything did, how full the link and how busy the pollers
    // were.
    static std::vector<std::string> port_lines(const stats::Summary& summary)
    {
        std::vector<std::string> lines;
        if (std::string line = port_line(summary.port); !line.empty()) {
            lines.push_back(std::move(line));
        }
        const LinkUse use = link_use(summary);
        if (use.sent.packets > 0 && use.time.count() > 0) {
            lines.push_back(way_line("sent", use.sent, use.time, summary.port.link_speed));
        }
        if (use.received.packets > 0 && use.time.count() > 0) {
            lines.push_back(way_line("received", use.received, use.time, summary.port.link_speed));
        }
        for (const stats::PollerLoad& load : summary.port.pollers) {
            if (load.time.count() > 0) {
                lines.push_back(
                    print("poller on CPU %d: %.3g%% busy", load.cpu, busy_percent(load)));
            }
        }
        return lines;
    }

    [[nodiscard]] std::string mark() const
    {
        return test_mark(style_.test) + style_.program + ": ";
    }

    Style style_;
    std::ostream& err_;
    std::uint64_t block_bytes_ = 0;
    bool udp_ = true;
};

}  // namespace

std::unique_ptr<stats::ReportSink> make_extras_sink(const Style& style, std::ostream& err)
{
    return std::make_unique<ExtrasSink>(style, err);
}

}  // namespace dpdkperf::report
