#include "json.hpp"

#include "json_values.hpp"
#include "text_lines.hpp"

#include <optional>
#include <ostream>
#include <utility>

namespace dpdkperf::report {

namespace {

// Collects the parts of a test and prints them when it is finished.
class JsonSink final : public stats::ReportSink {
public:
    JsonSink(Style style, std::ostream& out, std::ostream& err)
        : style_{std::move(style)}, out_{out}, err_{err}
    {
    }

    void listening(std::uint16_t, std::uint64_t) override { begun_ = true; }
    void accepted(const Endpoint&) override { begun_ = true; }
    void connecting(const std::string&, std::uint16_t, bool) override { begun_ = true; }
    void started(const stats::TestSettings& settings) override
    {
        settings_ = settings;
        if (!settings.impairment.empty()) {
            err_ << impairment_line(settings) << std::flush;
        }
    }
    void connected(const std::vector<stats::Connection>& connections) override
    {
        connections_ = connections;
    }

    void interval(const stats::IntervalReport& report) override
    {
        if (settings_) {
            intervals_ += (intervals_.empty() ? "" : ",") +
                          print_json_line(interval_json(*settings_, report));
        }
    }

    void summary(const stats::Summary& summary) override { summary_ = summary; }
    void server_output(const stats::ServerOutput& output) override { server_output_ = output; }

    void failed(const std::string& message) override
    {
        // A server that could not start is the one whose error keeps its prefix (iperf 3.12,
        // src/main.c: iperf_errexit with "error - %s").
        error_ = begun_ || message.starts_with("interrupt - ") ? message : "error - " + message;
    }

    void warned(const std::string& message) override
    {
        err_ << warning_line(message) << std::flush;
    }

    void relay(std::function<void(stats::ServerOutput)> give) override
    {
        const stats::TestSettings settings = settings_.value_or(stats::TestSettings{});
        std::string text = begun(intervals_.size() <= stats::kMaxServerOutputBytes);
        add(text, "dpdkperf", extras_json(style_.version, settings, summary_));
        give({text + '}', true});
    }

    // iperf3 prints it beside the document, which is then none.
    void traced(const stats::Trace&) override {}

    void finished(bool) override
    {
        out_ << indented(document()) << '\n' << std::flush;
        forget();
    }

private:
    // In iperf3's order: what has failed comes before what is added at the end.
    [[nodiscard]] std::string document() const
    {
        const stats::TestSettings settings = settings_.value_or(client_labels());
        std::string text = begun(true);
        if (error_) {
            add(text, "error", *error_);
        }
        if (!settings.title.empty()) {
            add(text, "title", settings.title);
        }
        if (!settings.extra_data.empty()) {
            add(text, "extra_data", settings.extra_data);
        }
        add_server_output(text);
        add(text, "dpdkperf", extras_json(style_.version, settings, summary_));
        return text + '}';
    }

    // "start", "intervals", "end" and no closing brace.
    [[nodiscard]] std::string begun(bool with_intervals) const
    {
        const stats::TestSettings settings = settings_.value_or(stats::TestSettings{});
        const Json end = summary_ ? end_json(settings, *summary_) : Json::object();
        return "{\"start\":" + print_json_line(start_json()) + ",\"intervals\":[" +
               (with_intervals ? intervals_ : "") + "],\"end\":" + print_json_line(end);
    }

    // Of a test that has not come to an agreement.
    [[nodiscard]] stats::TestSettings client_labels() const
    {
        stats::TestSettings settings;
        settings.title = style_.title;
        settings.extra_data = style_.extra_data;
        return settings;
    }

    static void add(std::string& text, const char* key, const Json& value)
    {
        text += std::string{",\""} + key + "\":" + print_json_line(value);
    }

    [[nodiscard]] Json start_json() const
    {
        Json start = {{"connected", Json::array()}};
        for (const stats::Connection& connection : connections_) {
            start["connected"].push_back(connection_json(connection));
        }
        start["version"] = style_.version;
        start["system_info"] = style_.system_info;
        if (settings_) {
            add_settings(start, *settings_);
        }
        return start;
    }

    // Also the keys that iperf3 writes twice.
    void add_settings(Json& start, const stats::TestSettings& settings) const
    {
        if (settings.server && settings.rate.bps() != 0) {
            append(start, "target_bitrate", settings.rate.bps());
        }
        // Of the socket on which a TCP server listens, otherwise of each stream's.
        const bool listener = settings.server && !settings.udp;
        if (listener) {
            add_buffers(start, settings);
        }
        append(start, "timestamp", timestamp_json(settings.wall_clock));
        if (settings.server) {
            const Endpoint peer = settings.peer.value_or(Endpoint{});
            append(start, "accepted_connection", endpoint_json(to_string(peer.address), peer.port));
        } else {
            append(start, "connecting_to", endpoint_json(settings.host, settings.port));
        }
        append(start, "cookie", settings.cookie);
        if (!settings.udp) {
            add_mss(start, settings);
        }
        append(start, "target_bitrate", settings.rate.bps());
        for (std::size_t i = 0; i < connections_.size() && !listener; ++i) {
            add_buffers(start, settings);
        }
        if (!connections_.empty()) {
            append(start, "test_start", test_start_json(settings));
        }
    }

    static void add_mss(Json& start, const stats::TestSettings& settings)
    {
        if (settings.mss_bytes != 0) {
            append(start, "tcp_mss", settings.mss_bytes);
        } else {
            append(start, "tcp_mss_default", settings.control_mss_bytes);
        }
    }

    static void add_buffers(Json& start, const stats::TestSettings& settings)
    {
        append(start, "sock_bufsize", settings.window_bytes);
        // Our data does not pass through kernel sockets.
        append(start, "sndbuf_actual", 0);
        append(start, "rcvbuf_actual", 0);
    }

    void add_server_output(std::string& text) const
    {
        if (!server_output_) {
            return;
        }
        if (server_output_->json) {
            text += ",\"server_output_json\":" + server_output_->text;
        } else {
            add(text, "server_output_text", server_output_->text);
        }
    }

    void forget()
    {
        begun_ = false;
        settings_.reset();
        connections_.clear();
        intervals_.clear();
        summary_.reset();
        server_output_.reset();
        error_.reset();
    }

    Style style_;
    std::ostream& out_;
    std::ostream& err_;
    bool begun_ = false;
    std::optional<stats::TestSettings> settings_;
    std::vector<stats::Connection> connections_;
    std::string intervals_;  // as JSON, with commas between
    std::optional<stats::Summary> summary_;
    std::optional<stats::ServerOutput> server_output_;
    std::optional<std::string> error_;
};

}  // namespace

std::unique_ptr<stats::ReportSink> make_json_sink(
    const Style& style, std::ostream& out, std::ostream& err)
{
    return std::make_unique<JsonSink>(style, out, err);
}

}  // namespace dpdkperf::report
