#include "path_worker.hpp"

#include <utility>

#include <asio/post.hpp>

namespace dpdkperf::app {

void PathWorker::ask(std::function<Result<control::DataPath>()> find, std::weak_ptr<void> user,
    control::DataPaths::Handler handler)
{
    run([this, find = std::move(find), user = std::move(user),
            handler = std::move(handler)]() mutable {
        auto path = find();
        asio::post(loop_, [user = std::move(user), path = std::move(path),
                              handler = std::move(handler)]() mutable {
            if (!user.expired()) {
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
