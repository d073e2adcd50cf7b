#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>

namespace t2v {

/// How often something is tried in a row, and the pause after the first failure; it doubles from one to the
/// next.
struct RetryOptions {
  int attempts = 5;
  double first_pause_seconds = 0.5;
  const std::atomic<bool>* stop = nullptr;
};

/// Calls `attempt` until it does not throw TransferFailed. `progress` tells how far it is: while that grows,
/// the count of failures starts again. Error (kNetwork) that says what was being done, Stopped.
void retry(const RetryOptions& options, const std::string& doing, const std::function<int64_t()>& progress,
           const std::function<void()>& attempt);

}  // namespace t2v
