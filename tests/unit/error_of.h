#pragma once

#include <string>

#include "t2v/error.h"

namespace t2v::testing {

/// The message of the t2v::Error that `run` throws; "" if it throws none.
template <typename Run>
std::string error_of(const Run& run) {
  try {
    run();
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

}  // namespace t2v::testing
