#pragma once

#include <ATen/Parallel.h>

#include "t2v/generate.h"

namespace t2v {

/// The threads of a request, as long as this lives: a clip that is rendered next may ask for others.
class RequestThreads {
 public:
  explicit RequestThreads(const GenerateRequest& request) {
    if (request.threads > 0) at::set_num_threads(static_cast<int>(request.threads));
  }
  RequestThreads(const RequestThreads&) = delete;
  RequestThreads& operator=(const RequestThreads&) = delete;
  ~RequestThreads() { at::set_num_threads(before_); }

 private:
  const int before_ = at::get_num_threads();
};

}  // namespace t2v
