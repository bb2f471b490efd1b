#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace dpdkperf {

// What went wrong, coarse enough for a caller to act on. The message says the rest.
enum class Errc {
    kUsage,       // an option or a combination of options that makes no sense
    kInput,       // bytes from the peer that do not follow the protocol
    kSystem,      // the kernel refused something
    kDevice,      // a port or its driver refused something
    kBusy,        // somebody else holds the thing
    kPermission,  // we lack a privilege
    kNotFound,    // no such host, interface, route or file
    kTimeout,     // a deadline passed
    kPeer,        // the peer refused, failed or went away
};

// An expected failure: returned, never thrown. `message` names the thing, the value and the
// reason, once, without a final full stop.
struct Error {
    Errc code = Errc::kSystem;
    std::string message;

    // The same failure seen from one level up: "outer: message".
    [[nodiscard]] Error within(std::string_view outer) &&
    {
        message = std::string{outer} + ": " + message;
        return std::move(*this);
    }
};

// A value or the Error that took its place. Method names are those of std::expected (C++23),
// which it will become.
template <class T>
class [[nodiscard]] Result {
public:
    // NOLINTNEXTLINE(google-explicit-constructor): `return value;` is the point
    Result(T value) : state_{std::in_place_index<0>, std::move(value)} {}
    // NOLINTNEXTLINE(google-explicit-constructor): `return Error{…};` is the point
    Result(Error error) : state_{std::in_place_index<1>, std::move(error)} {}

    [[nodiscard]] bool has_value() const noexcept { return state_.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }

    T& operator*() & { return std::get<0>(state_); }
    const T& operator*() const& { return std::get<0>(state_); }
    T&& operator*() && { return std::get<0>(std::move(state_)); }
    T* operator->() { return &std::get<0>(state_); }
    const T* operator->() const { return &std::get<0>(state_); }

    Error& error() & { return std::get<1>(state_); }
    const Error& error() const& { return std::get<1>(state_); }
    Error&& error() && { return std::get<1>(std::move(state_)); }

private:
    std::variant<T, Error> state_;
};

// A Result without a value: success, or the Error.
class [[nodiscard]] Status {
public:
    Status() = default;
    // NOLINTNEXTLINE(google-explicit-constructor): `return Error{…};` is the point
    Status(Error error) : error_{std::move(error)}, failed_{true} {}

    [[nodiscard]] bool has_value() const noexcept { return !failed_; }
    explicit operator bool() const noexcept { return has_value(); }

    Error& error() & { return error_; }
    const Error& error() const& { return error_; }
    Error&& error() && { return std::move(error_); }

private:
    Error error_;
    bool failed_ = false;
};

}  // namespace dpdkperf
