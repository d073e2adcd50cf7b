#include "core/process.h"

#include <atomic>

namespace t2v {
namespace {

std::atomic<bool> allowed = false;

}  // namespace

void tune_process() noexcept { allowed = true; }

bool may_tune_process() noexcept { return allowed; }

}  // namespace t2v
