#include "path_worker.hpp"

#include <utility>

#include <asio/post.hpp>

namespace dpdkperf::app {

void PathWorker::ask(
    std::function<Result<control::DataPath>()> find, control::DataPaths::Handler handler)
{
    const std::uint64_t generation = ++generation_;
    run([this, generation, find = std::move(find), handler = std::move(handler)]() mutable {
        auto path = find();
        asio::post(loop_,
            [this, generation, path = std::move(path), handler = std::move(handler)]() mutable {
                if (generation == generation_) {
                    handler(std::move(path));
                }
            });
    });
}

void PathWorker::run(std::function<void()> work)
{
    asio::post(thread_, std::move(work));
}

}  // namespace dpdkperf::app
