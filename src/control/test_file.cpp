#include "test_file.hpp"

#include "dpdkperf/host/file.hpp"
#include "streams.hpp"

#include <algorithm>
#include <bit>
#include <limits>

namespace dpdkperf::control {

namespace {

using proto::IperfError;

// The windows of all streams of a test, for the memory that they take; of one stream, for no path
// needs more; and at least.
constexpr std::size_t kAllStores = std::size_t{64} << 20;
constexpr std::size_t kLargestStore = std::size_t{4} << 20;
constexpr std::size_t kSmallestStore = std::size_t{256} << 10;

std::size_t store_bytes(std::uint32_t streams)
{
    return std::clamp(
        std::bit_floor(kAllStores / std::max(streams, 1U)), kSmallestStore, kLargestStore);
}

proto::Failure cannot_open(std::string why)
{
    return {IperfError::kFile, 0, std::move(why)};
}

}  // namespace

proto::Parsed<std::unique_ptr<TestFile>> TestFile::read(const std::string& path)
{
    // Others need memory, too.
    const auto available = host::available_memory();
    auto bytes =
        host::read_file(path, available.value_or(std::numeric_limits<std::uint64_t>::max()) / 2);
    if (!bytes) {
        return cannot_open(std::move(bytes).error().message);
    }
    std::unique_ptr<TestFile> file{new TestFile{path}};
    file->content_ = *std::move(bytes);
    return file;
}

proto::Parsed<std::unique_ptr<TestFile>> TestFile::create(
    const std::string& path, std::uint32_t streams, bool server)
{
    const host::StoreWriter::Stores stores{.count = streams,
        .bytes = store_bytes(streams),
        .first = server ? traffic::TcpSpec::kCookieBytes : 0};
    auto writer = host::StoreWriter::open(path, stores);
    if (!writer) {
        return cannot_open(std::move(writer).error().message);
    }
    std::unique_ptr<TestFile> file{new TestFile{path}};
    file->writer_ = *std::move(writer);
    return file;
}

// From 3.20 on (src/iperf_api.c, get_parameters); in both directions iperf3 empties the file before
// it is sent.
proto::Parsed<std::unique_ptr<TestFile>> TestFile::of_server(
    const std::string& path, const proto::Parameters& parameters)
{
    if (parameters.transport == proto::Transport::kUdp) {
        return proto::Failure{IperfError::kUdpFile, 0, {}};
    }
    if (parameters.bidirectional) {
        return cannot_open(path + ": with --bidir it would be overwritten while it is sent");
    }
    return has_direction(parameters, true, traffic::Direction::kSend)
               ? read(path)
               : create(path, parameters.streams(), true);
}

std::optional<proto::Failure> TestFile::failure() const
{
    const int error = writer_ ? writer_->error() : 0;
    if (error == 0) {
        return {};
    }
    return proto::Failure{IperfError::kStreamRead, error, "writing " + path_};
}

stats::DiskFile TestFile::facts() const
{
    return {path_, writer_ ? writer_->file_bytes() : content_.size()};
}

}  // namespace dpdkperf::control
