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
    void started(const stats::TestSettings& settings) override { settings_ = settings; }
    void connected(const std::vector<stats::Connection>& connections) override
    {
        connections_ = connections;
    }

    void interval(const stats::IntervalReport& report) override
    {
        if (settings_) {
            intervals_.push_back(interval_json(*settings_, report));
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

    void finished(bool) override
    {
        const stats::TestSettings settings = settings_.value_or(stats::TestSettings{});
        Json root = {{"start", start_json()}, {"intervals", std::move(intervals_)},
            {"end", summary_ ? end_json(settings, *summary_) : Json::object()}};
        add_server_output(root);
        if (error_) {
            root["error"] = *error_;
        }
        root["dpdkperf"] = extras_json(style_.version, settings, summary_);
        out_ << print_json(root) << '\n' << std::flush;
        forget();
    }

private:
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

    void add_server_output(Json& root) const
    {
        if (!server_output_) {
            return;
        }
        Json parsed = server_output_->json ? Json::parse(server_output_->text, nullptr, false)
                                           : Json(Json::value_t::discarded);
        if (parsed.is_discarded()) {
            root["server_output_text"] = server_output_->text;
        } else {
            root["server_output_json"] = std::move(parsed);
        }
    }

    void forget()
    {
        begun_ = false;
        settings_.reset();
        connections_.clear();
        intervals_ = Json::array();
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
    Json intervals_ = Json::array();
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
