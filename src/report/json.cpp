#include "json.hpp"

#include "indenter.hpp"
#include "json_extras.hpp"
#include "json_start.hpp"
#include "json_values.hpp"
#include "requirements.hpp"
#include "text_lines.hpp"

#include <optional>
#include <ostream>
#include <string_view>
#include <utility>

namespace dpdkperf::report {

namespace {

// Prints each part of the document as soon as it is known: a test of any length takes no more
// memory than a short one. Where other tests print meanwhile, the document is kept for the end, and
// intervals that it has no room for are left out.
class JsonSink final : public stats::ReportSink {
public:
    JsonSink(Style style, Writers writers, std::ostream& out, std::ostream& err)
        : style_{std::move(style)}, alone_{writers == Writers::kNobodyElse}, out_{out}, err_{err}
    {
    }

    void listening(std::uint16_t, std::uint64_t) override { known_.begun = true; }
    void accepted(const Endpoint&) override { known_.begun = true; }
    void connecting(const std::string&, std::uint16_t, bool) override { known_.begun = true; }

    void started(const stats::TestSettings& settings) override
    {
        known_.settings = settings;
        if (!settings.impairment.empty()) {
            err_ << test_mark(style_.test) << impairment_line(settings) << std::flush;
        }
    }

    void connected(const std::vector<stats::Connection>& connections) override
    {
        known_.connections = connections;
        if (known_.settings) {
            open();
            out_ << std::flush;
        }
    }

    void interval(const stats::IntervalReport& report) override
    {
        if (!known_.settings) {
            return;
        }
        open();
        const std::string text = print_json_line(interval_json(*known_.settings, report));
        if (alone_ || has_room(kept_, text)) {
            print((std::exchange(intervals_, true) ? "," : "") + text);
            out_ << std::flush;
        } else {
            ++left_out_;
        }
        if (!known_.settings->relayed) {
            return;
        }
        if (has_room(relayed_, text)) {
            relayed_ += (relayed_.empty() ? "" : ",") + text;
        } else {
            ++relay_left_out_;
        }
    }

    void server_output(const stats::ServerOutput& output) override
    {
        known_.server_output = output;
    }
    void summary(const stats::Summary& summary) override
    {
        known_.summary = summary;
        err_ << unmet_lines(style_.program, settings(), summary.verdicts) << std::flush;
    }

    void failed(const std::string& message) override
    {
        known_.error = json_error(message, known_.begun);
    }

    void warned(const std::string& message) override
    {
        err_ << test_mark(style_.test) << warning_line(message) << std::flush;
    }

    void relay(std::function<void(stats::ServerOutput)> give) override
    {
        std::string text = beginning() + relayed_ + ending();
        add(text, "dpdkperf", extras(relay_left_out_));
        give({text + '}', true});
    }

    // iperf3 prints it beside the document, which is then none.
    void traced(const stats::Trace&) override {}

    // In iperf3's order: what has failed comes before what is added at the end.
    void finished(bool) override
    {
        open();
        std::string text = ending();
        if (known_.error) {
            add(text, "error", *known_.error);
        }
        add_labels(text);
        add_server_output(text);
        add(text, "dpdkperf", extras(left_out_));
        print(text + '}');
        out_ << std::exchange(kept_, {}) << '\n' << std::flush;
        known_ = {};
        relayed_.clear();
        intervals_ = false;
        left_out_ = relay_left_out_ = 0;
    }

private:
    // What has been reported of the test.
    struct Known {
        bool begun = false;
        std::optional<stats::TestSettings> settings;
        std::vector<stats::Connection> connections;
        std::optional<stats::Summary> summary;
        std::optional<stats::ServerOutput> server_output;
        std::optional<std::string> error;
    };

    void print(std::string_view part)
    {
        const std::string text = indenter_.next(part);
        alone_ ? void(out_ << text) : void(kept_ += text);
    }

    [[nodiscard]] bool has_room(const std::string& kept, const std::string& more) const
    {
        return kept.size() + more.size() <= style_.max_kept_bytes;
    }

    void open()
    {
        if (!indenter_.within()) {
            print(beginning());
        }
    }

    // Up to the first interval, and from the last one on without a closing brace.
    [[nodiscard]] std::string beginning() const
    {
        return "{\"start\":" +
               print_json_line(start_json(style_, known_.settings, known_.connections)) +
               ",\"intervals\":[";
    }
    [[nodiscard]] std::string ending() const
    {
        std::string text = "]";
        add(text, "end", known_.summary ? end_json(settings(), *known_.summary) : Json::object());
        return text;
    }

    [[nodiscard]] stats::TestSettings settings() const
    {
        return known_.settings.value_or(stats::TestSettings{});
    }
    [[nodiscard]] Json extras(std::uint64_t intervals_left_out) const
    {
        Json json = extras_json(style_, settings(), known_.summary);
        if (intervals_left_out > 0) {
            json["intervals_left_out"] = intervals_left_out;
        }
        return json;
    }

    // Ours while there is no agreement.
    void add_labels(std::string& text) const
    {
        const auto& agreed = known_.settings;
        const std::string& title = agreed ? agreed->title : style_.title;
        const std::string& data = agreed ? agreed->extra_data : style_.extra_data;
        if (!title.empty()) {
            add(text, "title", title);
        }
        if (!data.empty()) {
            add(text, "extra_data", data);
        }
    }

    void add_server_output(std::string& text) const
    {
        const auto& output = known_.server_output;
        if (output && output->json) {
            text += ",\"server_output_json\":" + output->text;
        } else if (output) {
            add(text, "server_output_text", output->text);
        }
    }

    static void add(std::string& text, const char* key, const Json& value)
    {
        text += std::string{",\""} + key + "\":" + print_json_line(value);
    }

    Style style_;
    bool alone_;
    std::ostream& out_;
    std::ostream& err_;
    Known known_;
    Indenter indenter_;
    bool intervals_ = false;  // one has been printed
    std::string relayed_;     // server: intervals that the client wants to see
    std::string kept_;        // of a document that others must not come into
    std::uint64_t left_out_ = 0, relay_left_out_ = 0;  // intervals without room in these two
};

}  // namespace

std::unique_ptr<stats::ReportSink> make_json_sink(
    const Style& style, Writers writers, std::ostream& out, std::ostream& err)
{
    return std::make_unique<JsonSink>(style, writers, out, err);
}

}  // namespace dpdkperf::report
