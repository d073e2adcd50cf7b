#include "networks/transformers/transformer_wan_vace_cost.h"

namespace t2v {

DenoisingCost denoising_cost(const WanVACETransformer3DConfig& config, const LatentShape& latents,
                             at::ScalarType dtype, const Allocation& allocation) {
  TensorList list;
  const WanVACETransformer3DModel model(
      Weights::record(list,
                      {.placement = {.dtype = dtype}, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()}),
      config);
  const auto meta = at::device(at::kMeta);
  VACEContext context;
  const auto prepare = [&] {
    context =
        model.prepare(at::empty({1, kCountedPromptRows, config.transformer.text_dim}, meta.dtype(dtype)));
  };
  const auto forward = [&] {
    const auto of_channels = [&](int64_t channels) {
      return at::empty({1, channels, latents.frames, latents.height, latents.width}, meta.dtype(at::kFloat));
    };
    const std::vector<double> scale(config.vace_layers.size(), 1.0);
    model.forward(of_channels(config.transformer.in_channels), at::empty({1}, meta.dtype(at::kFloat)),
                  context, of_channels(config.vace_in_channels), scale);
  };
  return {.prompt = cost_of(allocation, prepare), .forward = cost_of(allocation, forward)};
}

}  // namespace t2v
