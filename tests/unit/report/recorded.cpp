#include "recorded.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <nlohmann/json.hpp>

namespace dpdkperf::report {

namespace {

std::string read(const std::filesystem::path& path)
{
    std::ostringstream text;
    text << std::ifstream{path}.rdbuf();
    return text.str();
}

std::chrono::nanoseconds micro(const nlohmann::json& number)
{
    return std::chrono::microseconds{number.get<std::int64_t>()};
}

Endpoint endpoint(const nlohmann::json& pair)
{
    return {*IpAddress::parse(pair[0].get<std::string>()), pair[1].get<std::uint16_t>()};
}

stats::TestSettings settings_of(const nlohmann::json& s)
{
    stats::TestSettings settings;
    settings.server = s["server"];
    settings.host = s["host"];
    settings.port = s["port"];
    if (settings.server) {
        settings.peer = endpoint(nlohmann::json::array({s["host"], s["port"]}));
    }
    settings.cookie = s["cookie"];
    settings.wall_clock =
        std::chrono::system_clock::time_point{std::chrono::seconds{s["timesecs"]}};
    settings.streams = s["streams"];
    settings.block_bytes = s["block_bytes"];
    settings.omit = std::chrono::seconds{s["omit"]};
    settings.duration = std::chrono::seconds{s["duration"]};
    settings.bytes = s["bytes"];
    settings.blocks = s["blocks"];
    settings.reverse = s["reverse"];
    settings.bidirectional = s["bidirectional"];
    settings.tos = s["tos"];
    settings.rate = BitRate::from_bps(s["rate"]);
    settings.window_bytes = s["window"];
    settings.control_mss_bytes = s["control_mss"];
    settings.block_from_mss = s["block_from_mss"];
    settings.udp = s.value("udp", true);
    settings.mss_bytes = s.value("mss", 0U);
    return settings;
}

// Made of the six numbers that a TCP sender's row has.
template <class Figures>
std::optional<Figures> tcp_of(const nlohmann::json& row)
{
    if (!row.contains("tcp")) {
        return std::nullopt;
    }
    const nlohmann::json& n = row["tcp"];
    return Figures{n[0], n[1], n[2], n[3], n[4], n[5]};
}

stats::IntervalReport interval_of(const nlohmann::json& interval)
{
    stats::IntervalReport report;
    report.omitted = interval["omitted"];
    for (const nlohmann::json& row : interval["streams"]) {
        report.streams.push_back({row["socket"], row["sender"], micro(row["start_us"]),
            micro(row["end_us"]), PayloadBytes{row["bytes"]}, row["packets"], row["lost"],
            row["jitter_s"], tcp_of<stats::TcpState>(row)});
    }
    return report;
}

std::optional<stats::SideTotal> side_of(const nlohmann::json& side)
{
    if (side.is_null()) {
        return std::nullopt;
    }
    return stats::SideTotal{PayloadBytes{side["bytes"]}, micro(side["time_us"]), side["packets"]};
}

stats::CpuUse cpu_of(const nlohmann::json& cpu)
{
    return {cpu[0], cpu[1], cpu[2]};
}

std::string name_of(const nlohmann::json& name)
{
    return name.is_null() ? std::string{} : name.get<std::string>();
}

stats::Summary summary_of(const nlohmann::json& s)
{
    stats::Summary summary;
    for (const nlohmann::json& row : s["streams"]) {
        stats::StreamTotal stream;
        stream.socket = row["socket"];
        stream.sender = row["sender"];
        stream.sent = side_of(row["sent"]);
        stream.received = side_of(row["received"]);
        stream.lost = row["lost"];
        stream.out_of_order = row["out_of_order"];
        stream.jitter_s = row["jitter_s"];
        stream.tcp = tcp_of<stats::TcpTotal>(row);
        if (row.contains("file")) {
            stream.file = {row["file"][0], row["file"][1]};
        }
        summary.streams.push_back(stream);
    }
    summary.local = cpu_of(s["local_cpu"]);
    if (!s["remote_cpu"].is_null()) {
        summary.remote = cpu_of(s["remote_cpu"]);
    }
    if (s.contains("congestion")) {
        summary.congestion = name_of(s["congestion"][0]);
        summary.peer_congestion = name_of(s["congestion"][1]);
    }
    return summary;
}

// Shows one time after the other; the last one for ever.
std::function<std::chrono::system_clock::time_point()> clock_of(std::vector<std::int64_t> stamps)
{
    return [stamps = std::move(stamps), next = std::size_t{0}]() mutable {
        const std::size_t at = std::min(next++, stamps.size() - 1);
        return std::chrono::system_clock::time_point{
            std::chrono::seconds{stamps.empty() ? 0 : stamps[at]}};
    };
}

Recorded recorded_of(
    const std::filesystem::path& folder, const nlohmann::json& values, const char* side)
{
    Recorded run;
    run.name = (folder.filename() / side).string();
    run.out = read(folder / (std::string{side} + ".out"));
    run.err = read(folder / (std::string{side} + ".err"));
    run.style.json = values["json"];
    run.style.verbose = values["verbose"];
    run.style.rate_unit = static_cast<RateUnit>(values.value("unit", "a").front());
    if (std::string_view{side} == "client") {
        run.style.title = values.value("title", "");
        run.style.extra_data = values.value("extra_data", "");
    }
    if (values.contains("timestamps")) {
        run.style.timestamp_format = values["timestamps"];
    }
    run.style.now = clock_of(values.value("stamps", std::vector<std::int64_t>{}));
    run.style.program = "iperf3";
    run.style.version = values["version"];
    run.style.system_info = values["system_info"];
    run.relayed = values.value("relayed", "");
    run.values = values.dump();
    return run;
}

}  // namespace

void Recorded::play(
    stats::ReportSink& sink, const std::function<void(stats::ServerOutput)>& take_relayed) const
{
    const nlohmann::json v = nlohmann::json::parse(values);
    if (!v["listening"].is_null()) {
        sink.listening(v["listening"][0], v["listening"][1]);
    } else {
        sink.connecting("somewhere", 1, false);
    }
    for (const nlohmann::json& warning : v["warnings"]) {
        sink.warned(warning);
    }
    if (!v["settings"].is_null()) {
        auto settings = settings_of(v["settings"]);
        settings.title = v.value("title", "");
        settings.extra_data = v.value("extra_data", "");
        settings.relayed = v.contains("relayed");
        sink.started(settings);
        std::vector<stats::Connection> connections;
        for (const nlohmann::json& c : v["connections"]) {
            connections.push_back({c["socket"], endpoint(c["local"]), endpoint(c["remote"])});
        }
        sink.connected(connections);
        for (const nlohmann::json& interval : v["intervals"]) {
            sink.interval(interval_of(interval));
        }
        if (v.contains("server_output")) {
            sink.server_output({v["server_output"], style.json});
        }
        sink.summary(summary_of(v["summary"]));
        if (settings.relayed) {
            sink.relay(take_relayed);
        }
    }
    if (!v["error"].is_null()) {
        sink.failed(v["error"]);
    }
    sink.finished(v["error"].is_null());
}

void keep_rendered(std::string name, const std::string& text)
{
    if (const char* folder = std::getenv("KEEP_RENDERED")) {
        std::replace(name.begin(), name.end(), '/', '-');
        std::ofstream{std::filesystem::path{folder} / name} << text;
    }
}

std::vector<Recorded> recorded_runs()
{
    std::vector<Recorded> runs;
    for (const auto& entry : std::filesystem::directory_iterator{GOLDEN_DIR}) {
        const auto file = entry.path() / "values.json";
        if (!std::filesystem::exists(file)) {
            continue;
        }
        const nlohmann::json values = nlohmann::json::parse(read(file));
        for (const char* side : {"client", "server"}) {
            if (values.contains(side)) {
                runs.push_back(recorded_of(entry.path(), values[side], side));
            }
        }
    }
    std::sort(runs.begin(), runs.end(), [](auto& a, auto& b) { return a.name < b.name; });
    return runs;
}

}  // namespace dpdkperf::report
