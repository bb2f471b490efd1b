#include "text.hpp"

#include "cjson.hpp"
#include "numbers.hpp"
#include "requirements.hpp"
#include "sums.hpp"
#include "text_lines.hpp"
#include "wall_clock.hpp"

#include <algorithm>
#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

namespace dpdkperf::report {

namespace {

constexpr const char* kBannerLine = "-----------------------------------------------------------\n";
constexpr const char* kErrorTimestamp = "%c ";
constexpr const char* kSeparator = "- - - - - - - - - - - - - - - - - - - - - - - - -\n";

class TextSink final : public stats::ReportSink {
public:
    TextSink(Style style, std::ostream& out, std::ostream& err)
        : style_{std::move(style)}, out_{out}, err_{err}
    {
    }

    void listening(std::uint16_t port, std::uint64_t test) override
    {
        begin();
        write(kBannerLine +
              print("Server listening on %u (test #%llu)\n", static_cast<unsigned>(port),
                  static_cast<unsigned long long>(test)) +
              kBannerLine);
    }

    // iperf3 says so when the parameters have come, see started().
    void accepted(const Endpoint&) override {}
    void connecting(const std::string&, std::uint16_t, bool) override { begin(); }

    void started(const stats::TestSettings& settings) override
    {
        settings_ = settings;
        if (!settings.impairment.empty()) {
            err_ << test_mark(style_.test) << impairment_line(settings) << std::flush;
        }
        std::string text;
        if (style_.verbose) {
            out_ << sizes_before();  // without prefix
            text += "Time: " + rfc1123(settings.wall_clock) + '\n';
        }
        if (settings.server) {
            const Endpoint peer = settings.peer.value_or(Endpoint{});
            text += print("Accepted connection from %s, port %u\n", to_string(peer.address).c_str(),
                static_cast<unsigned>(peer.port));
        } else {
            text += print("Connecting to host %s, port %u\n", settings.host.c_str(),
                static_cast<unsigned>(settings.port));
            if (settings.reverse) {
                text += "Reverse mode, remote host " + settings.host + " is sending\n";
            }
        }
        if (style_.verbose) {
            text += "      Cookie: " + settings.cookie + '\n';
            text += settings.udp ? "" : mss_line(settings);
            if (settings.rate.bps() != 0) {
                text += "      Target Bitrate: " + std::to_string(settings.rate.bps()) + '\n';
            }
        }
        write(text);
    }

    void connected(const std::vector<stats::Connection>& connections) override
    {
        std::string text;
        for (const stats::Connection& connection : connections) {
            text += connected_line(connection);
        }
        write(style_.verbose ? text + starting_line(settings_) : text);
    }

    void interval(const stats::IntervalReport& report) override
    {
        std::string text;
        if (!std::exchange(header_printed_, true)) {
            const bool we_only_send =
                !settings_.bidirectional && settings_.server == settings_.reverse;
            const bool some_send = we_only_send || settings_.bidirectional;
            text =
                settings_.udp ? header(settings_, we_only_send) : tcp_header(settings_, some_send);
        } else if (settings_.streams > 1) {
            text = kSeparator;
        }
        for (const Direction& direction : directions(settings_)) {
            text += interval_lines(report, direction);
        }
        write(text, Keep::kWhileThereIsRoom);
    }

    void summary(const stats::Summary& summary) override
    {
        std::string text = kSeparator;
        if (style_.verbose) {
            text += "Test Complete. Summary Results:\n";
        }
        const auto counts = [](const stats::StreamTotal& stream) { return stream.tcp.has_value(); };
        text += settings_.udp
                    ? header(settings_, false)
                    : tcp_summary_header(settings_, std::ranges::any_of(summary.streams, counts));
        for (const Direction& direction : directions(settings_)) {
            text += summary_lines(summary, direction);
            text += style_.verbose ? verbose_after(summary, direction) : "";
            write(std::exchange(text, {}));
            write_server_output();  // of bidir before the second one, as iperf3 does
        }
        if (!settings_.impairment.empty()) {
            err_ << test_mark(style_.test) << impairment_line(summary.port.impaired) << std::flush;
        }
        err_ << unmet_lines(style_.program, settings_, summary.verdicts) << std::flush;
    }

    void server_output(const stats::ServerOutput& output) override { server_output_ = output; }

    void failed(const std::string& message) override
    {
        // Whatever the format that the user has chosen (iperf 3.12, src/iperf_error.c, iperf_err).
        const std::string stamp =
            style_.timestamp_format ? local_time(style_.now(), kErrorTimestamp) : "";
        err_ << stamp << test_mark(style_.test) << error_line(style_.program, message)
             << std::flush;
    }

    void warned(const std::string& message) override
    {
        err_ << test_mark(style_.test) << warning_line(message) << std::flush;
    }

    void relay(std::function<void(stats::ServerOutput)> give) override { give({relayed_, false}); }

    void traced(const stats::Trace& trace) override
    {
        out_ << test_mark(style_.test) << trace.what << '\n'
             << (trace.document.empty() ? "" : indented(trace.document) + '\n') << std::flush;
    }

    void finished(bool success) override
    {
        if (success && !settings_.server) {
            write("\niperf Done.\n");
        }
        settings_ = {};
        relayed_.clear();
    }

private:
    void begin()
    {
        header_printed_ = false;
        if (style_.verbose) {
            write(style_.version + '\n');
            out_ << prefix();  // iperf3 prints an empty text here
            write(style_.system_info + '\n');
        }
    }

    [[nodiscard]] std::string sizes_before() const
    {
        std::string text;
        if (!settings_.server) {
            text += "Control connection MSS " + std::to_string(settings_.control_mss_bytes) + '\n';
            if (settings_.block_from_mss) {
                text += "Setting UDP block size to " + std::to_string(settings_.block_bytes) + '\n';
            }
        }
        return text;
    }

    [[nodiscard]] std::string verbose_after(
        const stats::Summary& summary, const Direction& direction) const
    {
        std::string text;
        if (direction.sender) {
            text += cpu_line(summary, true);
            text += settings_.bidirectional ? cpu_line(summary, false) : "";
        }
        return text + congestion_lines(summary, direction);
    }

    [[nodiscard]] std::string interval_lines(
        const stats::IntervalReport& report, const Direction& direction) const
    {
        std::string text;
        for (const stats::Transfer& stream : report.streams) {
            if (stream.sender == direction.sender) {
                text += interval_line(
                    id_text(stream.socket), direction, stream, report.omitted, style_.rate_unit);
            }
        }
        if (settings_.streams > 1) {
            const auto sum = sum_of(report, direction.sender, settings_.streams);
            text += interval_line("SUM", direction, sum, report.omitted, style_.rate_unit);
        }
        return text;
    }

    [[nodiscard]] std::string summary_lines(
        const stats::Summary& summary, const Direction& direction) const
    {
        const std::vector<Total> streams = totals(summary, direction.sender);
        std::string text;
        for (const Total& stream : streams) {
            text += stream_lines(stream, direction);
        }
        if (settings_.streams > 1) {
            text += sum_lines(sum_of(streams, settings_.streams), direction);
        }
        return text;
    }

    // That a sum is not available is said of TCP only.
    [[nodiscard]] std::string sum_lines(const Total& sum, const Direction& direction) const
    {
        std::string text;
        if (knows_sender(direction)) {
            text += sender_line("SUM", direction, sum, style_.rate_unit);
        } else if (!direction.udp) {
            text += not_available("SUM", "sender");
        }
        if (knows_receiver(direction)) {
            text += receiver_line(
                "SUM", direction, sum, percent(sum.lost, sum.packets), style_.rate_unit);
        } else if (!direction.udp) {
            text += not_available("SUM", "receiver");
        }
        return text;
    }

    [[nodiscard]] std::string not_available(const std::string& id, const char* side) const
    {
        return style_.verbose ? not_available_line(id, side) : "";
    }

    [[nodiscard]] std::string stream_lines(const Total& stream, const Direction& direction) const
    {
        const std::string id = id_text(stream.socket);
        std::string text;
        if (knows_sender(direction)) {
            text += sender_line(id, direction, stream, style_.rate_unit);
        } else {
            text += not_available(id, "sender");
        }
        text += stream.file ? file_line(stream) : "";
        if (stream.out_of_order > 0) {
            text += out_of_order_line(direction, stream);
        }
        if (knows_receiver(direction)) {
            text += receiver_line(id, direction, stream,
                percent(stream.lost, stream.received_packets), style_.rate_unit);
        } else {
            text += not_available(id, "receiver");
        }
        return text;
    }

    // A server prints before it has the client's half.
    [[nodiscard]] bool knows_sender(const Direction& direction) const
    {
        return !settings_.server || direction.sender;
    }
    [[nodiscard]] bool knows_receiver(const Direction& direction) const
    {
        return !settings_.server || !direction.sender;
    }

    // What stands before each line.
    [[nodiscard]] std::string prefix() const
    {
        return (style_.timestamp_format ? local_time(style_.now(), *style_.timestamp_format) : "") +
               test_mark(style_.test) + (style_.title.empty() ? "" : style_.title + ":  ");
    }

    // In one piece, with one prefix.
    void write_server_output()
    {
        if (const auto output = std::exchange(server_output_, std::nullopt)) {
            out_ << prefix() << (output->json ? "\nServer JSON output:\n" : "\nServer output:\n")
                 << (output->json ? indented(output->text) : output->text) << '\n'
                 << std::flush;
        }
    }

    // For the client that wants to see what its server prints.
    enum class Keep { kAlways, kWhileThereIsRoom };

    void write(std::string_view lines, Keep keep = Keep::kAlways)
    {
        std::string text;
        while (!lines.empty()) {
            const auto end = std::min(lines.find('\n'), lines.size() - 1) + 1;
            text += prefix();
            text += lines.substr(0, end);
            lines.remove_prefix(end);
        }
        out_ << text << std::flush;
        const bool room = relayed_.size() + text.size() <= style_.max_kept_bytes;
        if (settings_.relayed && (keep == Keep::kAlways || room)) {
            relayed_ += text;
        }
    }

    Style style_;
    std::ostream& out_;
    std::ostream& err_;
    stats::TestSettings settings_;
    std::optional<stats::ServerOutput> server_output_;
    bool header_printed_ = false;
    std::string relayed_;  // server: what has been printed of a test whose client wants to see it
};

}  // namespace

std::unique_ptr<stats::ReportSink> make_text_sink(
    const Style& style, std::ostream& out, std::ostream& err)
{
    return std::make_unique<TextSink>(style, out, err);
}

}  // namespace dpdkperf::report
