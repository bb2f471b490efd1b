#include "dpdkperf/proto/results.hpp"

#include "dpdkperf/proto/messages.hpp"
#include "json_document.hpp"

#include <cmath>

namespace dpdkperf::proto {

namespace {

using nlohmann::json;
using nlohmann::ordered_json;

// Reads keys of one object and remembers the first that is missing or of the wrong type.
class Reader {
public:
    explicit Reader(const json& object) : object_{object} {}

    void required(const char* name, std::int64_t& to)
    {
        const auto value = counter(name);
        value ? void(to = *value) : complain(name);
    }

    void required(const char* name, double& to)
    {
        const auto value = number(name);
        value ? void(to = *value) : complain(name);
    }

    void optional(const char* name, std::optional<std::int64_t>& to)
    {
        to = counter(name);
        complain_unless(to.has_value() || !object_.contains(name), name);
    }

    void optional(const char* name, std::optional<double>& to)
    {
        to = number(name);
        complain_unless(to.has_value() || !object_.contains(name), name);
    }

    [[nodiscard]] const std::string& complaint() const { return complaint_; }

private:
    [[nodiscard]] std::optional<std::int64_t> counter(const char* name) const
    {
        const auto at = object_.find(name);
        return at == object_.end() ? std::nullopt : to_counter(*at);
    }

    [[nodiscard]] std::optional<double> number(const char* name) const
    {
        const auto at = object_.find(name);
        if (at == object_.end() || !at->is_number()) {
            return {};
        }
        return at->get<double>();
    }

    void complain_unless(bool good, const char* name)
    {
        if (!good) {
            complain(name);
        }
    }

    void complain(const char* name)
    {
        if (complaint_.empty()) {
            complaint_ = std::string{"\""} + name + "\" is missing or not a number";
        }
    }

    const json& object_;
    std::string complaint_;
};

Failure unreadable(std::string why)
{
    return {IperfError::kReceiveResults, 0, std::move(why)};
}

bool is_id_of(std::int64_t id, std::uint32_t streams)
{
    return streams > 0 && (id == 1 || (id >= 3 && id <= stream_id(streams - 1)));
}

Parsed<StreamResult> read_stream(const json& object, std::uint32_t streams)
{
    if (!object.is_object()) {
        return unreadable("a stream is not an object");
    }
    Reader reader{object};
    StreamResult stream;
    std::int64_t id = 0;
    reader.required("id", id);
    reader.required("bytes", stream.bytes);
    reader.required("retransmits", stream.retransmits);
    reader.required("jitter", stream.jitter_s);
    reader.required("errors", stream.errors);
    reader.optional("omitted_errors", stream.omitted_errors);
    reader.required("packets", stream.packets);
    reader.optional("omitted_packets", stream.omitted_packets);
    reader.optional("start_time", stream.start_time_s);
    reader.optional("end_time", stream.end_time_s);
    if (!reader.complaint().empty()) {
        return unreadable("stream: " + reader.complaint());
    }
    if (stream.omitted_errors.has_value() != stream.omitted_packets.has_value()) {
        return unreadable("stream: omitted_errors and omitted_packets come only together");
    }
    if (!is_id_of(id, streams)) {
        return Failure{IperfError::kStreamId, 0, std::to_string(id)};
    }
    stream.id = static_cast<int>(id);
    return stream;
}

std::optional<Failure> read_streams(const json& object, std::uint32_t streams, Results& to)
{
    const auto list = object.find("streams");
    if (list == object.end() || !list->is_array()) {
        return unreadable("\"streams\" is missing or not an array");
    }
    for (const json& element : *list) {
        auto stream = read_stream(element, streams);
        if (auto* failure = std::get_if<Failure>(&stream)) {
            return std::move(*failure);
        }
        to.streams.push_back(std::get<StreamResult>(stream));
    }
    return {};
}

void read_texts(const json& object, std::string_view document, Results& to)
{
    const auto text = [&](const char* name) {
        const auto at = object.find(name);
        return at != object.end() && at->is_string() ? at->get<std::string>() : std::string{};
    };
    to.congestion_used = text("congestion_used");
    to.server_output_text = text("server_output_text");
    if (const auto at = object.find("server_output_json"); at != object.end() && at->is_object()) {
        to.server_output_json = value_text(document, "server_output_json");
    }
}

ordered_json to_json(const StreamResult& stream)
{
    ordered_json object{{"id", stream.id}, {"bytes", stream.bytes},
        {"retransmits", stream.retransmits}, {"jitter", stream.jitter_s},
        {"errors", stream.errors}};
    if (stream.omitted_errors) {
        object["omitted_errors"] = *stream.omitted_errors;
    }
    object["packets"] = stream.packets;
    if (stream.omitted_packets) {
        object["omitted_packets"] = *stream.omitted_packets;
    }
    object["start_time"] = stream.start_time_s.value_or(0);
    if (stream.end_time_s) {
        object["end_time"] = *stream.end_time_s;
    }
    return object;
}

}  // namespace

Parsed<Results> parse_results(std::string_view document, std::uint32_t streams)
{
    // A relayed server_output_json nests five deep in iperf 3.21; the rest is room.
    const json object = parse_object(document, 16);
    if (object.is_discarded()) {
        return unreadable("not a JSON object");
    }
    Results results;
    Reader reader{object};
    reader.required("cpu_util_total", results.cpu_total);
    reader.required("cpu_util_user", results.cpu_user);
    reader.required("cpu_util_system", results.cpu_system);
    reader.required("sender_has_retransmits", results.sender_has_retransmits);
    if (!reader.complaint().empty()) {
        return unreadable(reader.complaint());
    }
    read_texts(object, document, results);
    if (auto failure = read_streams(object, streams, results)) {
        return *std::move(failure);
    }
    return results;
}

Result<std::string> to_document(const Results& results, std::size_t max_bytes)
{
    ordered_json document{{"cpu_util_total", results.cpu_total},
        {"cpu_util_user", results.cpu_user}, {"cpu_util_system", results.cpu_system},
        {"sender_has_retransmits", results.sender_has_retransmits}};
    if (!results.congestion_used.empty()) {
        document["congestion_used"] = results.congestion_used;
    }
    if (!results.server_output_text.empty()) {
        document["server_output_text"] = results.server_output_text;
    }
    auto& streams = document["streams"] = ordered_json::array();
    for (const StreamResult& stream : results.streams) {
        streams.push_back(to_json(stream));
    }
    std::string text = to_text(document);
    if (!results.server_output_json.empty()) {
        text.insert(text.size() - 1, ",\"server_output_json\":" + results.server_output_json);
    }
    if (text.size() > max_bytes) {
        return Error{Errc::kUsage, "the results of the test take " + std::to_string(text.size()) +
                                       " bytes, at most " + std::to_string(max_bytes) +
                                       " are sent"};
    }
    return text;
}

}  // namespace dpdkperf::proto
