#include "save.hpp"

#include "cjson.hpp"
#include "json.hpp"
#include "run_file.hpp"
#include "text_lines.hpp"
#include "wall_clock.hpp"

#include <optional>
#include <ostream>
#include <sstream>
#include <utility>

namespace dpdkperf::report {

namespace {

constexpr int kFormat = 1;  // counts up when a reader has to know

// One test's file, and the sink that writes its document.
struct OpenFile {
    OpenFile(RunFile to, const Style& style)
        : file{std::move(to)},
          document{make_json_sink(style, Writers::kNobodyElse, file.stream(), nowhere)}
    {
    }

    RunFile file;
    std::ostream nowhere{nullptr};  // the lines of the error stream are printed by others
    std::unique_ptr<stats::ReportSink> document;
};

// What the server of a client has called itself, if its document was asked for.
std::string version_in(const stats::ServerOutput& output)
{
    const Json document = Json::parse(output.text, nullptr, false);
    const auto version = nlohmann::json::json_pointer{"/start/version"};
    return output.json && document.is_object() && document.contains(version) &&
                   document[version].is_string()
               ? document[version].get<std::string>()
               : std::string{};
}

Json lines_of(const std::string& text)
{
    Json lines = Json::array();
    std::istringstream rest{text};
    for (std::string line; std::getline(rest, line);) {
        lines.push_back(line);
    }
    return lines;
}

class SaveSink final : public stats::ReportSink {
public:
    SaveSink(const Style& style, std::ostream& err, std::function<void()> lost)
        : style_{style}, saving_{style.saving.value_or(Saving{})}, err_{err}, lost_{std::move(lost)}
    {
    }

    void listening(std::uint16_t, std::uint64_t) override {}
    void accepted(const Endpoint& peer) override { client_ = peer; }

    void connecting(const std::string& host, std::uint16_t port, bool reverse) override
    {
        begin("client");
        tell([&](stats::ReportSink& document) { document.connecting(host, port, reverse); });
    }

    void started(const stats::TestSettings& settings) override
    {
        if (settings.server) {
            begin("server");
            tell([&](stats::ReportSink& document) { document.accepted(client_); });
        }
        peer_version_ = settings.peer_version;
        port_plan_ = settings.port_plan;
        stats::TestSettings ours = settings;
        ours.relayed = false;  // by the sink that prints
        tell([&](stats::ReportSink& document) { document.started(ours); });
    }

    void connected(const std::vector<stats::Connection>& connections) override
    {
        tell([&](stats::ReportSink& document) { document.connected(connections); });
    }

    void interval(const stats::IntervalReport& report) override
    {
        tell([&](stats::ReportSink& document) { document.interval(report); });
    }

    void server_output(const stats::ServerOutput& output) override
    {
        peer_version_ = version_in(output);
        tell([&](stats::ReportSink& document) { document.server_output(output); });
    }

    void summary(const stats::Summary& summary) override
    {
        tell([&](stats::ReportSink& document) { document.summary(summary); });
    }

    void failed(const std::string& message) override
    {
        tell([&](stats::ReportSink& document) { document.failed(message); });
    }

    void warned(const std::string&) override {}
    void relay(std::function<void(stats::ServerOutput)>) override {}
    void traced(const stats::Trace&) override {}

    void finished(bool success) override
    {
        tell([&](stats::ReportSink& document) { document.finished(success); });
        if (open_) {
            open_->file.stream() << ending();
            check(open_->file.publish());
        }
        open_.reset();
        peer_version_.clear();
        port_plan_.clear();
    }

private:
    template <class Event>
    void tell(Event event)
    {
        if (open_) {
            event(*open_->document);
        }
    }

    void begin(const char* role)
    {
        const auto now = style_.now();
        auto file = RunFile::create(saving_.folder, utc_time(now, "%Y-%m-%dT%H%M%SZ-") + role);
        if (!file) {
            return check(std::move(file).error());
        }
        open_ = std::make_unique<OpenFile>(*std::move(file), style_);
        open_->file.stream() << beginning(role, utc_time(now, "%Y-%m-%dT%H:%M:%SZ"));
    }

    void check(const Status& status)
    {
        if (!status) {
            err_ << error_line(style_.program, "--save: " + status.error().message) << std::flush;
            lost_();
        }
    }

    // Up to the value of "result".
    [[nodiscard]] std::string beginning(const char* role, const std::string& time) const
    {
        const Json head = {{"format", kFormat}, {"role", role}, {"time", time},
            {"arguments", saving_.arguments},
            {"versions", {{"dpdkperf", style_.version}, {"dpdk", saving_.dpdk_version},
                             {"system", style_.system_info}}},
            {"host", {{"name", saving_.host}, {"cpu", saving_.cpu}, {"cpus", saving_.cpus}}}};
        std::string text = indented(print_json_line(head));
        text.resize(text.rfind("\n}"));
        return text + ",\n\t\"result\":\t";
    }

    // Behind it.
    [[nodiscard]] std::string ending() const
    {
        Json tail = Json::object();
        if (!peer_version_.empty()) {
            tail["peer_version"] = peer_version_;
        }
        if (!port_plan_.empty()) {
            tail["port_plan"] = lines_of(port_plan_);
        }
        return (tail.empty() ? "" : ",") + indented(print_json_line(tail)).substr(1) + '\n';
    }

    Style style_;
    Saving saving_;
    std::ostream& err_;
    std::function<void()> lost_;
    std::unique_ptr<OpenFile> open_;  // of the test that runs
    Endpoint client_;
    std::string peer_version_, port_plan_;
};

}  // namespace

std::unique_ptr<stats::ReportSink> make_save_sink(
    const Style& style, std::ostream& err, std::function<void()> lost)
{
    return std::make_unique<SaveSink>(style, err, std::move(lost));
}

}  // namespace dpdkperf::report
