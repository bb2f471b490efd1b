#include "json_extras.hpp"

#include "health.hpp"
#include "link_use.hpp"
#include "sums.hpp"

namespace dpdkperf::report {

namespace {

Json port_json(const stats::PortTotal& port)
{
    return {{"bad_checksum", port.bad_checksum}, {"bad_length", port.bad_length},
        {"unexpected", port.unexpected}, {"pool_empty", port.pool_empty},
        {"handed_over", port.handed_over}, {"not_handed_over", port.not_handed_over}};
}

void add_packet_rates(Json& json, const stats::FrameCount& count, std::chrono::nanoseconds time)
{
    if (time.count() <= 0) {
        return;
    }
    const PacketRates rates = rates_of(count, time);
    json["packets_per_second"] = rates.packets_per_second;
    json["frame_bits_per_second"] = rates.frame_bits_per_second;
    json["wire_bits_per_second"] = rates.wire_bits_per_second;
}

// All that the test has put on the link one way, or taken from it.
Json way_json(
    const stats::FrameCount& count, std::chrono::nanoseconds time, std::optional<BitRate> link)
{
    Json json = {{"packets", count.packets}};
    add_packet_rates(json, count, time);
    if (link && json.contains("wire_bits_per_second")) {
        json["link_percent"] =
            share_percent(json["wire_bits_per_second"].get<double>(), link->bps());
    }
    return json;
}

Json poller_json(const stats::PollerLoad& load)
{
    Json json = {{"cpu", load.cpu}, {"turns", load.turns}, {"busy_turns", load.busy_turns}};
    if (load.turns > 0 && load.time.count() > 0) {
        json["busy_percent"] = busy_percent(load);
        json["mean_turn_ns"] =
            static_cast<double>(load.time.count()) / static_cast<double>(load.turns);
    }
    return json;
}

// What streams of both protocols begin with.
Json stream_rates_json(const stats::StreamTotal& stream, const stats::TestSettings& settings)
{
    Json json = {{"socket", stream.socket}};
    if (settings.rate.bps() != 0) {
        json["asked_bits_per_second"] = settings.rate.bps();
    }
    add_packet_rates(
        json, stream.sender ? stream.sent_frames : stream.received_frames, own_time(stream));
    return json;
}

// What is not known is left out.
Json stream_extras_json(const stats::StreamTotal& stream, const stats::TestSettings& settings)
{
    const std::uint64_t block = settings.block_bytes;
    Json json = stream_rates_json(stream, settings);
    if (stream.sender && stream.offered) {
        json["offered"] = *stream.offered;
    }
    if (stream.sender && stream.sent) {
        json["accepted"] = stream.sent->packets;
    }
    if (const auto received = arrivals(stream, block)) {
        json["received"] = *received;
    }
    if (stream.arrived) {
        json["arrived"] = *stream.arrived;
    }
    if (stream.duplicates) {
        json["duplicates"] = *stream.duplicates;
    }
    if (stream.late > 0) {
        json["late"] = stream.late;
    }
    if (const auto lost = true_loss(stream, block)) {
        // May be negative: datagrams of the omitted part that arrived after it.
        json["true_lost"] = *lost;
    }
    if (stream.ring_full) {
        json["ring_full"] = *stream.ring_full;
    }
    return json;
}

Json impaired_json(const stats::ImpairedPackets& packets)
{
    return {{"lost", packets.lost}, {"twice", packets.twice}, {"reordered", packets.reordered},
        {"overflown", packets.overflown}};
}

Json verdict_json(const stats::Verdict& verdict)
{
    const stats::Requirement& requirement = verdict.requirement;
    Json json = {{"name", stats::name_of(requirement.measure).name},
        {"operator", stats::sign_of(requirement.comparison)}, {"wanted", requirement.wanted}};
    if (verdict.got) {
        json["got"] = *verdict.got;
    } else {
        json["unknown"] = verdict.unknown;
    }
    json["met"] = verdict.met;
    json["sender"] = verdict.sender;
    return json;
}

Json tcp_extras_json(const stats::StreamTotal& stream, const stats::TestSettings& settings)
{
    Json json = stream_rates_json(stream, settings);
    json["reordering"] = stream.reordering;
    for (const HealthRow& row : kHealthRows) {
        json[row.key] = stream.health.*row.count;
    }
    return json;
}

}  // namespace

Json extras_json(const Style& style, const stats::TestSettings& settings,
    const std::optional<stats::Summary>& summary)
{
    Json json = {{"version", style.version}};
    if (style.test) {
        json["test"] = *style.test;
    }
    if (!settings.impairment.empty()) {
        json["impairment"] = {{"asked", settings.impairment}};
    }
    if (!summary) {
        return json;
    }
    if (!settings.impairment.empty()) {
        json["impairment"]["sent"] = impaired_json(summary->port.impaired.transmitted);
        json["impairment"]["received"] = impaired_json(summary->port.impaired.received);
    }
    json["interface"] = summary->port.interface;
    json["driver"] = summary->port.driver;
    const std::optional<BitRate> link = summary->port.link_speed;
    if (link) {
        json["link_bits_per_second"] = link->bps();
    }
    if (settings.udp) {
        // One reading of the clock per turn, in microseconds on the wire.
        json["arrival_clock"] = "burst";
        json["stamp_clock"] = "burst";
        json["stamp_unit_ns"] = 1000;
    }
    const LinkUse use = link_use(*summary);
    json["sent"] = way_json(use.sent, use.time, link);
    json["received"] = way_json(use.received, use.time, link);
    Json streams = Json::array();
    for (const stats::StreamTotal& stream : summary->streams) {
        streams.push_back(settings.udp ? stream_extras_json(stream, settings)
                                       : tcp_extras_json(stream, settings));
    }
    json["streams"] = std::move(streams);
    json["port"] = port_json(summary->port);
    json["pollers"] = Json::array();
    for (const stats::PollerLoad& load : summary->port.pollers) {
        json["pollers"].push_back(poller_json(load));
    }
    for (const stats::Verdict& verdict : summary->verdicts) {
        json["required"].push_back(verdict_json(verdict));
    }
    return json;
}

}  // namespace dpdkperf::report
