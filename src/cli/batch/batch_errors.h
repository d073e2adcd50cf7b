#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <vector>

#include "cli/screen/progress.h"
#include "t2v/error.h"

namespace t2v {

/// What is wrong with the rows of a batch, told together: so that one look at it mends them all.
class BatchErrors {
 public:
  explicit BatchErrors(Progress& progress) : progress_(progress) {}

  /// Looks at a row. An Error that says the same as one before is not the row's, and is told once.
  void look(const std::function<void()>& at_row);
  /// Tells the first twenty, and how many more there are. Error: the last of these.
  void expect_none() const;

 private:
  Progress& progress_;
  std::vector<Error> first_;
  size_t count_ = 0;
};

}  // namespace t2v
