#include "batch_keys.h"

namespace t2v {
namespace {

/// The conditions with one name for every file.
Conditions without_names(Conditions conditions) {
  for (std::filesystem::path* file :
       {&conditions.image, &conditions.end_image, &conditions.control_video, &conditions.control_mask}) {
    if (!file->empty()) *file = "file";
  }
  for (std::filesystem::path& file : conditions.reference_images) file = "file";
  conditions.conditioning_scale.reset();
  return conditions;
}

}  // namespace

ModelKey model_of(const CheckedRequest& request) {
  Machine machine = request.machine;
  machine.threads = Machine().threads;
  machine.embeds_cache.clear();
  machine.vae_tiling = false;
  return {request.model, machine};
}

CheckedSize shape_of(const CheckedRequest& request) {
  CheckedSize shape = request.size;
  shape.fps = 0;
  return shape;
}

KindKey kind_of(const CheckedRequest& request) {
  return {.extension = request.outputs.output.extension().string(),
          .encoding = request.encoding,
          .caching = request.caching,
          .sampler = request.sampling.sampler,
          .fps = request.size.fps,
          .threads = request.machine.threads,
          .vae_tiling = request.machine.vae_tiling,
          .is_guided = request.sampling.guidance_scale > 1,
          .makes_previews = request.outputs.makes_previews(),
          .conditions = without_names(request.conditions)};
}

double work_of(const CheckedRequest& request) {
  const CheckedSize& size = request.size;
  const CheckedSampling& sampling = request.sampling;
  return static_cast<double>(size.width * size.height * size.num_frames) *
         static_cast<double>(sampling.num_inference_steps) * (sampling.guidance_scale > 1 ? 2 : 1);
}

}  // namespace t2v
