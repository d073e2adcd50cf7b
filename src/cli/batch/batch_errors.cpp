#include "batch_errors.h"

#include <algorithm>
#include <string_view>

namespace t2v {
namespace {

constexpr size_t kMostTold = 20;

}  // namespace

void BatchErrors::look(const std::function<void()>& at_row) {
  try {
    at_row();
  } catch (const Error& error) {
    const std::string_view said = error.what();
    const auto is_said = [&](const Error& earlier) { return said == earlier.what(); };
    if (std::any_of(first_.begin(), first_.end(), is_said)) return;
    if (++count_ <= kMostTold) first_.push_back(error);
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
