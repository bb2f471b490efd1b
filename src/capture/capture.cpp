#include "dpdkperf/capture/capture.hpp"

#include "pcapng.hpp"

#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

namespace dpdkperf::capture {

namespace {

using namespace std::chrono_literals;

// Between two looks at the rings.
constexpr auto kPause = 5ms;

Error cannot_write(const std::string& path, int error)
{
    return {Errc::kSystem,
        "unable to write packets to '" + path + "': " + std::generic_category().message(error)};
}

std::int64_t now_ns()
{
    return std::chrono::duration_cast<std::chrono::nanoseconds>(
        std::chrono::system_clock::now().time_since_epoch())
        .count();
}

}  // namespace

Result<std::unique_ptr<Capture>> Capture::create(const std::string& path, std::uint32_t frames,
    const std::string& program, const std::string& comment)
{
    File file{std::fopen(path.c_str(), "wbe")};
    if (!file) {
        return cannot_write(path, errno);
    }
    std::unique_ptr<Capture> made{new Capture{std::move(file), path, frames}};
    made->write(section_block(program, comment));
    made->flush();
    if (made->error_ != 0) {
        return cannot_write(path, made->error_);
    }
    return made;
}

Capture::Capture(File file, std::string path, std::uint32_t frames)
    : path_{std::move(path)}, file_{std::move(file)}, left_received_{frames}, left_sent_{frames}
{
}

Capture::~Capture()
{
    if (Status status = finish(); !status) {
        return;  // whoever wants to know has asked before
    }
}

void Capture::start()
{
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

Status Capture::finish()
{
    thread_ = {};  // asks it to stop, and waits
    const std::lock_guard lock{mutex_};
    if (file_) {
        drain();
        write_statistics();
        if (std::fclose(file_.release()) != 0 && error_ == 0) {
            error_ = errno;
        }
    }
    return error_ == 0 ? Status{} : Status{cannot_write(path_, error_)};
}

std::uint16_t Capture::add_interface(
    const std::string& name, const std::string& description, const Mac& mac)
{
    const std::lock_guard lock{mutex_};
    const auto known = std::ranges::find(interfaces_, name, &Interface::name);
    const auto number = static_cast<std::uint16_t>(known - interfaces_.begin());
    if (known == interfaces_.end()) {
        interfaces_.push_back({name});
        write(interface_block(name, description, mac));
    }
    return number;
}

FrameRing& Capture::ring(std::size_t poller)
{
    const std::lock_guard lock{mutex_};
    while (rings_.size() <= poller) {
        rings_.push_back(std::make_unique<FrameRing>());
    }
    return *rings_[poller];
}

void Capture::run(const std::stop_token& stop)
{
    while (!stop.stop_requested()) {
        {
            const std::lock_guard lock{mutex_};
            drain();
        }
        std::this_thread::sleep_for(kPause);
    }
}

void Capture::drain()
{
    for (const auto& ring : rings_) {
        ring->drain([this](const FrameHeader& header, std::span<const std::byte> frame) {
            ++interfaces_[header.interface].kept;
            write(packet_block(header, frame));
        });
    }
    flush();
}

void Capture::flush()
{
    if (std::fflush(file_.get()) != 0 && error_ == 0) {
        error_ = errno;
    }
}

// The lost are no single interface's; the first stands for all.
void Capture::write_statistics()
{
    std::uint64_t missing = lost();
    for (std::uint32_t number = 0; number < interfaces_.size(); ++number) {
        const std::uint64_t kept = interfaces_[number].kept;
        write(statistics_block(number, now_ns(), kept + missing, missing));
        missing = 0;
    }
}

void Capture::write(const std::string& block)
{
    if (std::fwrite(block.data(), 1, block.size(), file_.get()) != block.size() && error_ == 0) {
        error_ = errno;
    }
}

}  // namespace dpdkperf::capture
