#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "progress.h"
#include "t2v/error.h"

namespace t2v {

/// What is wrong with the rows of a batch, told together: so that one look at it mends them all.
class BatchErrors {
 public:
  explicit BatchErrors(Progress& progress) : progress_(progress) {}

  /// Looks at a row, whose Errors begin with `place`. False after any other: that is not the row's, and would
  /// be the same for the next.
  bool look(const std::string& place, const std::function<void()>& at_row);
  /// Tells the first twenty, and how many more there are. Error: the last of these.
  void expect_none() const;

 private:
  Progress& progress_;
  std::vector<Error> first_;
  size_t count_ = 0;
};

}  // namespace t2v
