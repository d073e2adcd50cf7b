#pragma once

#include <torch/library.h>

namespace t2v {

/// Finds an operation of LibTorch's dispatcher, for calls with `Signature`. Keep the result in a static: the
/// search takes longer than a small operation.
template <typename Signature>
c10::TypedOperatorHandle<Signature> find_operation(const char* name, const char* overload = "") {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, overload).typed<Signature>();
}

/// Adds one kernel of the operation `name` for one kind of device.
template <typename Function>
void add_kernel(torch::Library& library, const char* name, c10::DispatchKey key, Function* kernel) {
  library.impl(name, torch::dispatch(key, kernel));
}

}  // namespace t2v
