#pragma once

#include "dpdkperf/base/address.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include <libmnl/libmnl.h>

namespace dpdkperf::host {

// A message to the kernel while it is put together: a header, a body of type T, attributes.
class Request {
public:
    // `flags` beside NLM_F_REQUEST, e.g. NLM_F_DUMP.
    Request(std::uint16_t type, std::uint16_t flags);

    template <class Body>
    Body& body()
    {
        return *static_cast<Body*>(mnl_nlmsg_put_extra_header(message_, sizeof(Body)));
    }
    // The address as its family wants it: 4 or 16 bytes.
    void add(std::uint16_t attribute, const IpAddress& address);
    void add(std::uint16_t attribute, const Mac& mac);
    void add(std::uint16_t attribute, std::uint32_t number);
    void add(std::uint16_t attribute, const std::string& text);

    [[nodiscard]] nlmsghdr& message() { return *message_; }

private:
    alignas(nlmsghdr) std::array<std::byte, 512> buffer_{};
    nlmsghdr* message_;
};

// Sends `request` and hands each answer to `on_answer`. Returns 0 or the kernel's errno.
int ask_kernel(Request& request, const std::function<void(const nlmsghdr&)>& on_answer);

// AF_INET or AF_INET6.
std::uint8_t family_of(const IpAddress& address);
// 32 or 128.
std::uint8_t prefix_bits_of(const IpAddress& address);

// The attributes of a message by type; those that are missing, or newer than N, are null.
template <std::size_t N>
class Attributes {
public:
    // Those that follow a body of `body_bytes`.
    Attributes(const nlmsghdr& message, std::size_t body_bytes)
    {
        mnl_attr_parse(&message, static_cast<unsigned>(body_bytes), &keep, this);
    }
    // Those inside of `outer`, which may be null.
    explicit Attributes(const nlattr* outer)
    {
        if (outer != nullptr) {
            mnl_attr_parse_nested(outer, &keep, this);
        }
    }

    [[nodiscard]] const nlattr* operator[](std::size_t type) const { return by_type_.at(type); }
    // 0 if it is missing or too short.
    [[nodiscard]] std::uint32_t number(std::size_t type) const
    {
        const nlattr* a = by_type_.at(type);
        return a != nullptr && mnl_attr_get_payload_len(a) >= sizeof(std::uint32_t)
                   ? mnl_attr_get_u32(a)
                   : 0;
    }

private:
    static int keep(const nlattr* attribute, void* self)
    {
        const std::size_t type = mnl_attr_get_type(attribute);
        if (type <= N) {
            static_cast<Attributes*>(self)->by_type_[type] = attribute;
        }
        return MNL_CB_OK;
    }

    std::array<const nlattr*, N + 1> by_type_{};
};

// Empty unless the attribute has the length of an address; null is allowed.
std::optional<IpAddress> ip_address_in(const nlattr* attribute);
std::optional<Mac> mac_in(const nlattr* attribute);
// Empty text if null or not terminated within its length.
std::string text_in(const nlattr* attribute);

}  // namespace dpdkperf::host
