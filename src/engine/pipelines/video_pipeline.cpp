#include "engine/pipelines/video_pipeline.h"

#include <vector>

namespace t2v {

Latents sample_all(VideoPipeline& pipeline) {
  std::map<std::string, std::vector<Tensor>> runs;
  pipeline.sample([&](const Latents& run) {
    for (const auto& [kind, values] : run) runs[kind].push_back(values);
  });
  Latents latents;
  for (const auto& [kind, values] : runs) latents[kind] = values.size() == 1 ? values[0] : at::cat(values, 2);
  return latents;
}

}  // namespace t2v
