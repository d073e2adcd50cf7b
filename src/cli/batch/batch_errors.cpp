#include "batch_errors.h"

#include <algorithm>
#include <string_view>

namespace t2v {
namespace {

constexpr size_t kMostReported = 20;

}  // namespace

void BatchErrors::try_row(const std::function<void()>& check, const std::string& place) {
  try {
    check();
  } catch (const Error& error) {
    const Error placed(error.code(), {.doing = place + error.what()});
    const std::string_view message = placed.what();
    const auto is_same = [&](const Error& earlier) { return message == earlier.what(); };
    if (std::any_of(first_.begin(), first_.end(), is_same)) return;
    if (++count_ <= kMostReported) first_.push_back(placed);
  }
}

void BatchErrors::expect_none() const {
  if (count_ == 0) return;
  const Error* last = count_ > first_.size() ? nullptr : &first_.back();
  const ErrorCode code = first_.back().code();
  const bool alike =
      std::all_of(first_.begin(), first_.end(), [&](const Error& error) { return error.code() == code; });
  for (const Error& error : first_) {
    if (&error != last) progress_.fail(static_cast<int>(error.code()), error.what());
  }
  throw Error(
      alike ? code : ErrorCode::kUsage,
      {.doing = last != nullptr ? last->what() : "and " + std::to_string(count_ - first_.size()) + " more"});
}

}  // namespace t2v
