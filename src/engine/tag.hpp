#pragma once

#include <cstddef>
#include <cstdint>

#include <rte_mbuf.h>
#include <rte_mbuf_dyn.h>

namespace dpdkperf::engine {

// What an mbuf of ours already holds. Two equal tags mean that headers, filler and lengths are
// those of the template and that only what varies per packet must be written; or that payload of
// TCP lies behind the headers. 0: anything.
//
// Of a template's, the upper half names the filler, the lower the template. No two templates of a
// process have the same number, so a new test, a new stream or a new next hop can never meet stale
// headers.
using Tag = std::uint64_t;

constexpr Tag make_tag(std::uint32_t filler, std::uint32_t number)
{
    return Tag{filler} << 32 | number;
}

// For payload of TCP: `bytes` of what all streams begin their periods with
// (tcp::StreamContent::is_period), behind `header_bytes`. None of a template is like it.
constexpr Tag make_payload_tag(std::uint32_t bytes, std::uint32_t header_bytes)
{
    constexpr std::uint32_t kNoFiller = 1U << 31U;
    return make_tag(kNoFiller | header_bytes, bytes);
}

constexpr bool same_filler(Tag a, Tag b)
{
    return (a ^ b) >> 32 == 0;
}

// The place of the tag in an mbuf (a registered dynamic field).
class TagField {
public:
    // Registers the field, or finds it.
    static TagField find()
    {
        constexpr rte_mbuf_dynfield kField{
            .name = "dpdkperf_tag", .size = sizeof(Tag), .align = alignof(Tag), .flags = 0};
        return TagField{rte_mbuf_dynfield_register(&kField)};
    }

    [[nodiscard]] bool valid() const { return offset_ >= 0; }
    [[nodiscard]] Tag& of(rte_mbuf& mbuf) const noexcept
    {
        return *RTE_MBUF_DYNFIELD(&mbuf, static_cast<std::size_t>(offset_), Tag*);
    }

private:
    explicit TagField(int offset) : offset_{offset} {}
    int offset_;
};

}  // namespace dpdkperf::engine
