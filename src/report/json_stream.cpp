#include "json_stream.hpp"

#include "json.hpp"
#include "json_extras.hpp"
#include "json_start.hpp"
#include "json_values.hpp"
#include "requirements.hpp"
#include "text_lines.hpp"

#include <optional>
#include <ostream>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace dpdkperf::report {

namespace {

// Whatever the server's layout: within its strings there are no such characters.
std::string on_one_line(std::string json)
{
    std::erase_if(json, [](char c) { return c == '\n' || c == '\r' || c == '\t'; });
    return json;
}

class JsonStreamSink final : public stats::ReportSink {
public:
    JsonStreamSink(const Style& style, std::ostream& out, std::ostream& err)
        : style_{style}, out_{out}, err_{err}
    {
        if (style_.json_stream_full) {
            begin_document();
        }
    }

    void listening(std::uint16_t port, std::uint64_t test) override
    {
        begun_ = true;
        tell([&](stats::ReportSink& document) { document.listening(port, test); });
    }
    void accepted(const Endpoint& peer) override
    {
        begun_ = true;
        tell([&](stats::ReportSink& document) { document.accepted(peer); });
    }
    void connecting(const std::string& host, std::uint16_t port, bool reverse) override
    {
        begun_ = true;
        tell([&](stats::ReportSink& document) { document.connecting(host, port, reverse); });
    }

    void started(const stats::TestSettings& settings) override
    {
        settings_ = settings;
        if (!settings.impairment.empty()) {
            err_ << test_mark(style_.test) << impairment_line(settings) << std::flush;
        }
        if (settings.relayed && !document_) {
            begin_document();
        }
        tell([&](stats::ReportSink& document) { document.started(settings); });
    }

    void connected(const std::vector<stats::Connection>& connections) override
    {
        event("start", start_json(style_, settings_, connections));
        tell([&](stats::ReportSink& document) { document.connected(connections); });
    }

    void interval(const stats::IntervalReport& report) override
    {
        if (settings_) {
            event("interval", interval_json(*settings_, report));
        }
        tell([&](stats::ReportSink& document) { document.interval(report); });
    }

    void server_output(const stats::ServerOutput& output) override
    {
        server_output_ = output;
        tell([&](stats::ReportSink& document) { document.server_output(output); });
    }

    void summary(const stats::Summary& summary) override
    {
        summary_ = summary;
        err_ << unmet_lines(style_.program, settings(), summary.verdicts) << std::flush;
        tell([&](stats::ReportSink& document) { document.summary(summary); });
    }

    void failed(const std::string& message) override
    {
        error_ = json_error(message, begun_);
        tell([&](stats::ReportSink& document) { document.failed(message); });
    }

    void warned(const std::string& message) override
    {
        err_ << test_mark(style_.test) << warning_line(message) << std::flush;
    }

    void relay(std::function<void(stats::ServerOutput)> give) override
    {
        tell([&](stats::ReportSink& document) { document.relay(std::move(give)); });
    }

    void traced(const stats::Trace&) override {}

    void finished(bool success) override
    {
        if (error_) {
            event("error", Json(*error_));
        }
        if (server_output_ && server_output_->json) {
            write_event("server_output_json", on_one_line(server_output_->text));
        } else if (server_output_) {
            event("server_output_text", Json(server_output_->text));
        }
        event("dpdkperf", extras_json(style_, settings(), summary_));
        event("end", summary_ ? end_json(settings(), *summary_) : Json::object());
        tell([&](stats::ReportSink& document) { document.finished(success); });
        if (style_.json_stream_full) {
            out_ << text_.str() << std::flush;
            text_.str({});
        } else {
            document_.reset();
        }
        forget();
    }

private:
    void event(const char* name, const Json& data) { write_event(name, print_json_line(data)); }
    void write_event(const char* name, const std::string& data)
    {
        const std::string whose = style_.test ? ",\"test\":" + std::to_string(*style_.test) : "";
        out_ << "{\"event\":\"" << name << "\",\"data\":" << data << whose << "}\n" << std::flush;
    }

    [[nodiscard]] stats::TestSettings settings() const
    {
        return settings_.value_or(stats::TestSettings{});
    }

    // Who only relays it keeps what is to be relayed, and no text.
    void begin_document()
    {
        std::ostream& to = style_.json_stream_full ? text_ : nowhere_;
        document_ = make_json_sink(style_, Writers::kNobodyElse, to, nowhere_);
    }

    template <class Event>
    void tell(Event event)
    {
        if (document_) {
            event(*document_);
        }
    }

    void forget()
    {
        begun_ = false;
        settings_.reset();
        summary_.reset();
        server_output_.reset();
        error_.reset();
    }

    Style style_;
    std::ostream& out_;
    std::ostream& err_;
    std::ostringstream text_;
    std::ostream nowhere_{nullptr};
    // The document of -J, while there is a use for it: --json-stream-full-output, or a client that
    // wants to see it.
    std::unique_ptr<stats::ReportSink> document_;
    bool begun_ = false;
    std::optional<stats::TestSettings> settings_;
    std::optional<stats::Summary> summary_;
    std::optional<stats::ServerOutput> server_output_;
    std::optional<std::string> error_;
};

}  // namespace

std::unique_ptr<stats::ReportSink> make_json_stream_sink(
    const Style& style, std::ostream& out, std::ostream& err)
{
    return std::make_unique<JsonStreamSink>(style, out, err);
}

}  // namespace dpdkperf::report
