#include "engine/bench/bench_clip.h"

#include <algorithm>

#include <nlohmann/json.hpp>

namespace t2v {

BenchClip bench_clip(const BenchSpec& spec, const BenchSetting& setting, SyntheticValues values) {
  if (spec.model.empty()) return setting.named;
  BenchClip clip = setting.bundled;
  nlohmann::json text_encoder = bench_config(text_encoder_of(spec.model));
  const int64_t vocabulary = clip.checkpoint.get("text_encoder").config.integer("vocab_size", 0);
  text_encoder["vocab_size"] = std::max(text_encoder["vocab_size"].get<int64_t>(), vocabulary);
  auto& components = clip.checkpoint.components;
  components.clear();
  components.emplace("text_encoder", synthetic_model("text_encoder", text_encoder, values));
  components.emplace("transformer", synthetic_model("transformer", bench_config(spec.model), values));
  components.emplace("vae", synthetic_model("vae", bench_config(vae_of(spec.model)), values));
  clip.checkpoint.index = clip.checkpoint.family->derive_index(clip.checkpoint.info());
  clip.request.size.num_frames = spec.clip.num_frames;
  clip.request.size.height = spec.clip.height;
  clip.request.size.width = spec.clip.width;
  clip.request.sampling.num_inference_steps = kBenchSteps;
  clip.request.sampling.guidance_scale = 1;
  return clip;
}

}  // namespace t2v
