#include "files/hub/retry.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <thread>

#include "core/log.h"
#include "files/hub/http.h"
#include "t2v/error.h"
#include "t2v/run.h"

namespace t2v {
namespace {

constexpr double kLongestPause = 60;

void pause(double seconds, const std::atomic<bool>* stop) {
  using Clock = std::chrono::steady_clock;
  const auto end = Clock::now() + std::chrono::duration<double>(std::min(seconds, kLongestPause));
  while (Clock::now() < end) {
    if (stop != nullptr && *stop) throw Stopped{};
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

}  // namespace

void retry(const RetryOptions& options, const std::string& doing, const std::function<int64_t()>& progress,
           const std::function<void()>& attempt) {
  int failures = 0;
  for (int64_t reached = progress();; reached = progress()) {
    try {
      return attempt();
    } catch (const TransferFailed& failure) {
      failures = progress() > reached ? 1 : failures + 1;
      if (failures >= options.attempts) {
        throw Error(ErrorCode::kNetwork, {.doing = doing,
                                          .got = failure.reason + " (" + std::to_string(failures) + " times)",
                                          .expected = "the whole of it",
                                          .advice = "run the same command again: what is here is kept"});
      }
      log_verbose(doing + ": " + failure.reason + ", trying again");
      const double seconds = options.first_pause_seconds * std::pow(2.0, failures - 1);
      pause(std::max(seconds, failure.retry_after), options.stop);
    }
  }
}

}  // namespace t2v
