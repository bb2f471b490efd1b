#pragma once

// A TCP peer that says what a test tells it to, with blocking calls on a thread of its own.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace dpdkperf::test {

class ScriptedPeer {
public:
    // Connects to 127.0.0.1.
    static ScriptedPeer connect(std::uint16_t port);

    ScriptedPeer(ScriptedPeer&& other) noexcept;
    ScriptedPeer& operator=(ScriptedPeer&&) = delete;
    ~ScriptedPeer();

    void send(std::string_view bytes) const;
    void send_document(std::string_view text) const;
    // The next `bytes` bytes; fewer if the connection ends or nothing comes for 5 s.
    [[nodiscard]] std::string receive(std::size_t bytes) const;
    [[nodiscard]] std::string receive_document() const;
    // Everything until the peer closes.
    [[nodiscard]] std::string receive_rest() const;
    void close();

private:
    friend class ScriptedListener;
    explicit ScriptedPeer(int socket);
    int socket_;
};

// A listening socket on 127.0.0.1.
class ScriptedListener {
public:
    ScriptedListener();
    ScriptedListener(const ScriptedListener&) = delete;
    ScriptedListener& operator=(const ScriptedListener&) = delete;
    ~ScriptedListener();

    [[nodiscard]] std::uint16_t port() const { return port_; }
    [[nodiscard]] ScriptedPeer accept() const;

private:
    int socket_;
    std::uint16_t port_ = 0;
};

}  // namespace dpdkperf::test
