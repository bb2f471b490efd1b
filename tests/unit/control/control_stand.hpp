#pragma once

// What a client or a server under test stands on.

#include "control_world.hpp"
#include "dpdkperf/options/plan.hpp"
#include "fake_traffic.hpp"

#include <asio/io_context.hpp>
#include <gtest/gtest.h>

namespace dpdkperf::test {

class ControlStand : public testing::Test {
protected:
    options::Plan plan_;
    asio::io_context loop_;
    FakeTraffic traffic_;
    FakeSteering steering_;
    FakePaths paths_{loop_, traffic_, steering_};
    FakeWatch watch_;
    RecordingSink sink_;
};

}  // namespace dpdkperf::test
