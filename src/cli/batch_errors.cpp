#include "batch_errors.h"

#include <algorithm>
#include <string_view>

namespace t2v {
namespace {

constexpr size_t kMostTold = 20;

}  // namespace

bool BatchErrors::look(const std::string& place, const std::function<void()>& at_row) {
  try {
    at_row();
    return true;
  } catch (const Error& error) {
    if (++count_ <= kMostTold) first_.push_back(error);
    return std::string_view(error.what()).starts_with(place);
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
