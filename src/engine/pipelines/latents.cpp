#include "engine/pipelines/latents.h"

#include <malloc.h>

namespace t2v {

Latents final_latents(const Latents& latents) {
  Latents result;
  for (const auto& [kind, values] : latents) {
    result[kind] = values.to(at::kCPU, at::kFloat).contiguous();
    check_finite(result[kind], "sampling");
  }
  ::malloc_trim(0);
  return result;
}

}  // namespace t2v
