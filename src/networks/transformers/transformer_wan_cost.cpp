#include "networks/transformers/transformer_wan_cost.h"

#include <vector>

namespace t2v {
namespace {

/// Embeddings of the images that a model sees.
std::optional<Tensor> image_embeds(const WanTransformer3DConfig& config, at::TensorOptions options) {
  constexpr int64_t kImageRows = 257;
  if (!config.image_dim) return std::nullopt;
  // A model with a position embedding takes a first and a last image.
  const int64_t images = config.pos_embed_seq_len ? 2 : 1;
  const int64_t rows = config.pos_embed_seq_len ? *config.pos_embed_seq_len / images : kImageRows;
  return at::empty({images, rows, *config.image_dim}, options);
}

}  // namespace

DenoisingCost denoising_cost(const WanTransformer3DConfig& config, const LatentShape& latents,
                             at::ScalarType dtype, const Allocation& allocation) {
  TensorList list;
  const WanTransformer3DModel model(
      Weights::record(list,
                      {.placement = {.dtype = dtype}, .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32()}),
      config);
  const auto meta = at::device(at::kMeta);
  TextContext context;
  const auto prepare = [&] {
    context = model.prepare(at::empty({1, kCountedPromptRows, config.text_dim}, meta.dtype(dtype)),
                            image_embeds(config, meta.dtype(dtype)));
  };
  const auto forward = [&] {
    const std::vector<int64_t> shape{1, config.in_channels, latents.frames, latents.height, latents.width};
    model.forward(at::empty(shape, meta.dtype(at::kFloat)), at::empty({1}, meta.dtype(at::kFloat)), context);
  };
  return {.prompt = cost_of(allocation, prepare), .forward = cost_of(allocation, forward)};
}

}  // namespace t2v
