#include "sampling/guidance/classifier_free_guidance.h"

namespace t2v {

Tensor classifier_free_guidance(const Tensor& cond, const Tensor& uncond, double guidance_scale) {
  return uncond + guidance_scale * (cond - uncond);
}

}  // namespace t2v
