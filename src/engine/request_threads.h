#pragma once

#include <cstdint>

#include <ATen/Parallel.h>

namespace t2v {

/// Sets the number of LibTorch's threads while it lives; 0 keeps the number.
class RequestThreads {
 public:
  explicit RequestThreads(int64_t threads) {
    if (threads > 0) at::set_num_threads(static_cast<int>(threads));
  }
  RequestThreads(const RequestThreads&) = delete;
  RequestThreads& operator=(const RequestThreads&) = delete;
  ~RequestThreads() { at::set_num_threads(before_); }

 private:
  const int before_ = at::get_num_threads();
};

}  // namespace t2v
