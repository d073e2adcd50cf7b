#include "networks/text_encoders/umt5_encoder_cost.h"

namespace t2v {

Cost encode_cost(const UMT5Config& config, int64_t tokens, at::ScalarType dtype,
                 const Allocation& allocation) {
  TensorList list;
  const UMT5Encoder encoder(Weights::record(list, {.placement = {.dtype = dtype}}), config);
  const Tensor input_ids = at::zeros({tokens}, at::kLong);  // real values, because forward() checks them
  return cost_of(allocation, [&] { encoder.forward({input_ids}); });
}

}  // namespace t2v
