#include "requirements.hpp"

#include "numbers.hpp"
#include "sums.hpp"

#include <algorithm>
#include <utility>

namespace dpdkperf::report {

namespace {

using stats::Measure;

// One direction of a test at its end.
struct Outcome {
    std::vector<stats::StreamTotal> streams;
    Total sum;
    std::uint64_t block_bytes = 0;
};

Outcome outcome_of(const stats::TestSettings& settings, const stats::Summary& summary, bool sender)
{
    Outcome outcome;
    std::ranges::copy_if(summary.streams, std::back_inserter(outcome.streams),
        [sender](const stats::StreamTotal& stream) { return stream.sender == sender; });
    outcome.sum = sum_of(totals(summary, sender), settings.streams);
    outcome.block_bytes = settings.block_bytes;
    return outcome;
}

template <class Known>
bool all(const Outcome& outcome, Known known)
{
    return !outcome.streams.empty() && std::ranges::all_of(outcome.streams, known);
}

// The sum of what `of` finds in each stream; empty if one of them does not have it.
template <class Of>
std::optional<double> added_up(const Outcome& outcome, Of of)
{
    double sum = 0;
    for (const stats::StreamTotal& stream : outcome.streams) {
        const auto count = of(stream);
        if (!count) {
            return {};
        }
        sum += static_cast<double>(*count);
    }
    return outcome.streams.empty() ? std::nullopt : std::optional{sum};
}

std::optional<double> packet_rate(const Outcome& outcome)
{
    const auto arrived = added_up(outcome,
        [&](const stats::StreamTotal& stream) { return arrivals(stream, outcome.block_bytes); });
    const double seconds = to_seconds(outcome.sum.received_time);
    return arrived && seconds > 0 ? std::optional{*arrived / seconds} : std::nullopt;
}

// Where nothing was sent there is no share of it.
std::optional<double> loss(const Outcome& outcome)
{
    const auto lost = added_up(outcome,
        [&](const stats::StreamTotal& stream) { return true_loss(stream, outcome.block_bytes); });
    const auto sent = static_cast<double>(outcome.sum.sent_packets);
    return lost && sent > 0 ? std::optional{100 * std::max(*lost, 0.0) / sent} : std::nullopt;
}

std::optional<double> retransmits(const Outcome& outcome)
{
    return added_up(outcome, [](const stats::StreamTotal& stream) {
        return stream.tcp ? std::optional{stream.tcp->retransmits} : std::nullopt;
    });
}

std::optional<double> figure(Measure measure, const Outcome& outcome)
{
    const Total& sum = outcome.sum;
    const bool sent = all(outcome, [](const auto& stream) { return stream.sent.has_value(); });
    const bool received =
        all(outcome, [](const auto& stream) { return stream.received.has_value(); });
    const auto if_known = [](bool known, double value) {
        return known ? std::optional{value} : std::nullopt;
    };
    switch (measure) {
    case Measure::kSent:
        return if_known(sent, rate_over(sum.sent, to_seconds(sum.sent_time)));
    case Measure::kReceived:
        return if_known(received, rate_over(sum.received, to_seconds(sum.received_time)));
    case Measure::kPacketRate:
        return packet_rate(outcome);
    case Measure::kLoss:
        return loss(outcome);
    case Measure::kRetransmits:
        return retransmits(outcome);
    case Measure::kJitter:
        return if_known(received, sum.jitter_s * 1000);
    }
    return {};
}

stats::Verdict verdict_on(
    const stats::Requirement& requirement, const Outcome& outcome, bool sender)
{
    stats::Verdict verdict{requirement, sender, figure(requirement.measure, outcome), {}, false};
    if (verdict.got) {
        verdict.met = stats::holds(*verdict.got, requirement.comparison, requirement.wanted);
    } else {
        verdict.unknown = "the other side has not told it";
    }
    return verdict;
}

// "3.245 G"
std::string scaled(double value, int digits)
{
    constexpr std::pair<double, const char*> kScales[] = {
        {1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "K"}};
    for (const auto& [step, letter] : kScales) {
        if (value >= step) {
            return print("%.*g %s", digits, value / step, letter);
        }
    }
    return print("%.*g ", digits, value);
}

std::string shown(Measure measure, double value, int digits)
{
    switch (measure) {
    case Measure::kSent:
    case Measure::kReceived:
        return scaled(value, digits) + "bits/sec";
    case Measure::kPacketRate:
        return scaled(value, digits) + "packets/sec";
    case Measure::kLoss:
        return print("%.*g%%", digits, value);
    case Measure::kRetransmits:
        return print("%.0f", value);
    case Measure::kJitter:
        return print("%.*g ms", digits, value);
    }
    return {};
}

// With as many digits as tell the two values apart.
std::string comparison(const stats::Requirement& wanted, double got)
{
    constexpr int kUsual = 4, kAll = 17;
    const auto text = [&](double value, int digits) {
        return shown(wanted.measure, value, digits);
    };
    int digits = kUsual;
    while (
        digits < kAll && got != wanted.wanted && text(got, digits) == text(wanted.wanted, digits)) {
        ++digits;
    }
    return text(got, digits) + " is not " + std::string{stats::sign_of(wanted.comparison)} + ' ' +
           text(wanted.wanted, digits);
}

}  // namespace

std::vector<stats::Verdict> judge(std::span<const stats::Requirement> requirements,
    const stats::TestSettings& settings, const stats::Summary& summary)
{
    std::vector<stats::Verdict> verdicts;
    for (const stats::Requirement& requirement : requirements) {
        for (const Direction& direction : directions(settings)) {
            const Outcome outcome = outcome_of(settings, summary, direction.sender);
            verdicts.push_back(verdict_on(requirement, outcome, direction.sender));
        }
    }
    return verdicts;
}

std::string unmet_lines(const std::string& program, const stats::TestSettings& settings,
    std::span<const stats::Verdict> verdicts)
{
    std::string text;
    for (const stats::Verdict& verdict : verdicts) {
        if (verdict.met) {
            continue;
        }
        const auto all_directions = directions(settings);
        const auto direction =
            std::ranges::find(all_directions, verdict.sender, &Direction::sender);
        text += program + ": require: " + direction->role + (direction->role.empty() ? "" : " ") +
                std::string{stats::name_of(verdict.requirement.measure).name} + ' ' +
                (verdict.got ? comparison(verdict.requirement, *verdict.got)
                             : "is not known: " + verdict.unknown) +
                '\n';
    }
    return text;
}

}  // namespace dpdkperf::report
