#pragma once

#include <set>
#include <string>

#include <ATen/record_function.h>

namespace t2v::testing {

/// The names of the operations that `run` calls.
template <typename Run>
std::set<std::string> operations_of(const Run& run) {
  static std::set<std::string> names;
  names.clear();
  const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback(
      [](const at::RecordFunction& function) -> std::unique_ptr<at::ObserverContext> {
        names.insert(function.name());
        return nullptr;
      }));
  run();
  at::removeCallback(handle);
  return names;
}

}  // namespace t2v::testing
