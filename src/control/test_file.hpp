#pragma once

#include "dpdkperf/host/store_writer.hpp"
#include "dpdkperf/options/plan.hpp"
#include "dpdkperf/proto/failure.hpp"
#include "dpdkperf/proto/parameters.hpp"
#include "dpdkperf/stats/reports.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace dpdkperf::control {

// The file of -F in one test: what this side sends, or where what it receives goes. It outlives the
// session of the data plane.
class TestFile {
public:
    // To be sent, held in memory. Blocks while it is read.
    static proto::Parsed<std::unique_ptr<TestFile>> read(const std::string& path);
    // To be written by the streams of a server's or a client's test.
    static proto::Parsed<std::unique_ptr<TestFile>> create(
        const std::string& path, std::uint32_t streams, bool server);

    // What a server with -F does in a test with these parameters.
    static proto::Parsed<std::unique_ptr<TestFile>> of_server(
        const std::string& path, const proto::Parameters& parameters);

    // Empty: it is written.
    [[nodiscard]] std::span<const std::byte> content() const { return content_; }
    // Where stream `index` goes; null: it is sent.
    [[nodiscard]] StreamStore* store(std::size_t index)
    {
        return writer_ ? &writer_->store(index) : nullptr;
    }

    // All that has arrived until mark() is written, or can't be.
    void mark() { writer_ ? writer_->mark() : void(); }
    [[nodiscard]] bool settled() const { return !writer_ || writer_->settled(); }
    [[nodiscard]] std::optional<proto::Failure> failure() const;

    // As it is now.
    [[nodiscard]] stats::DiskFile facts() const;

private:
    explicit TestFile(std::string path) : path_{std::move(path)} {}

    std::string path_;
    std::vector<std::byte> content_;
    std::unique_ptr<host::StoreWriter> writer_;
};

}  // namespace dpdkperf::control
