#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/screen/progress.h"
#include "t2v/error.h"

namespace t2v {

/// Collects the errors of all rows of a batch, so that a user can correct them together.
class BatchErrors {
 public:
  explicit BatchErrors(Progress& progress) : progress_(progress) {}

  /// Calls a check of one row and collects its Error, with `place` before the message. Errors with the same
  /// message are collected once.
  void try_row(const std::function<void()>& check, const std::string& place = "");
  /// Reports the first twenty errors and how many follow; the last of these is thrown. Nothing for no error.
  void expect_none() const;

 private:
  Progress& progress_;
  std::vector<Error> first_;
  size_t count_ = 0;
};

}  // namespace t2v
