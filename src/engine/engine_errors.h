#pragma once

#include <exception>
#include <new>
#include <string_view>

#include "t2v/error.h"
#include "tensors/tensor.h"

namespace t2v {

/// Returns the result of `work`. Turns exceptions of LibTorch into an Error (kResource, kBug).
template <typename Work>
auto with_errors_of(const std::string& doing, const Work& work) {
  const auto out_of_memory = [&](const std::string& got) {
    return Error(ErrorCode::kResource,
                 {.doing = doing,
                  .got = got,
                  .expected = "enough memory",
                  .advice = "lower `width`, `height` or `num_frames`, or use `dtype` bfloat16"});
  };
  try {
    return work();
  } catch (const std::bad_alloc&) {
    throw out_of_memory("no memory");
  } catch (const c10::Error& error) {
    const std::string message = error.what_without_backtrace();
    const std::string line = message.substr(0, message.find('\n'));
    const bool memory = dynamic_cast<const c10::OutOfMemoryError*>(&error) != nullptr ||
                        message.find("not enough memory") != std::string::npos ||
                        message.find("can't allocate memory") != std::string::npos;
    if (memory) throw out_of_memory(line);
    throw Error(ErrorCode::kBug, {.doing = doing, .got = line});
  } catch (const std::exception& error) {
    // oneDNN says so when it cannot allocate.
    if (std::string_view(error.what()) == "could not create a primitive") throw out_of_memory(error.what());
    throw;
  }
}

}  // namespace t2v
