#include "networks/text_encoders/clip_vision_cost.h"

namespace t2v {

Cost encode_cost(const CLIPVisionConfig& config, int64_t images, const Allocation& allocation) {
  TensorList list;
  const CLIPVisionModel encoder(Weights::record(list), config);
  return cost_of(allocation, [&] {
    encoder.forward(at::empty({images, config.num_channels, config.image_size, config.image_size},
                              at::device(at::kMeta)));
  });
}

}  // namespace t2v
