#include "engine/pipelines/wan_cost_model.h"

#include <algorithm>
#include <map>
#include <optional>

#include "engine/pipelines/pixels.h"
#include "engine/pipelines/wan_parts.h"
#include "families/wan/wan_family.h"
#include "networks/autoencoders/autoencoder_kl_wan_cost.h"
#include "networks/text_encoders/clip_vision_cost.h"
#include "networks/text_encoders/umt5_encoder_cost.h"
#include "networks/transformers/transformer_wan_cost.h"
#include "networks/transformers/transformer_wan_vace_cost.h"
#include "sampling/guidance/classifier_free_guidance.h"

namespace t2v {
namespace {

constexpr const char* kFp8 = "fp8";

/// The part of a clip that one tile shows.
ClipShape tile_of(const ClipShape& clip, int64_t tile) {
  return {clip.num_frames, std::min(tile, clip.height), std::min(tile, clip.width)};
}

/// Bytes of float32 latents with `channels` channels for all tokens.
double latent_bytes(const WanTransformer3DConfig& config, int64_t channels, int64_t tokens) {
  return 4.0 * static_cast<double>(tokens * channels * config.patch_volume());
}

/// Bytes of a sampler: latents, predictions for two prompts, and the earlier predictions that UniPC keeps.
double sampler_bytes(const WanTransformer3DConfig& config, int64_t tokens) {
  constexpr double kTensors = 6;
  return kTensors * latent_bytes(config, std::max(config.in_channels, config.out_channels), tokens);
}

/// Bytes of a StepCache in float32: the residual of the blocks for each prompt; or, around the whole model,
/// the prediction for each prompt and three tensors for comparison.
double cache_bytes(const CheckedRequest& request, const WanTransformer3DConfig& config, int64_t tokens) {
  constexpr double kCompared = 3;
  const double prompts = is_guided(request.sampling.guidance_scale) ? 2 : 1;
  if (request.caching.mode == "none") return 0;
  if (request.caching.mode == "easycache")
    return (prompts + kCompared) * latent_bytes(config, config.out_channels, tokens);
  return prompts * 4.0 * static_cast<double>(tokens * config.dim());
}

/// Matrix::numbers() makes two copies of an fp8 matrix: in float32, and in the dtype of its products.
double fp8_bytes(const Component& component, const LoadOptions& options) {
  uint64_t largest = 0;
  for (const auto& [name, source] : component.tensors) {
    if (loaded_dtype(name, source.stored, options) == at::kFloat8_e4m3fn)
      largest = std::max(largest, loaded_bytes(name, source.stored, options));
  }
  return static_cast<double>(largest * (sizeof(float) + at::elementSize(options.placement.dtype)));
}

class WanCostModel final : public CostModel {
 public:
  WanCostModel(const Checkpoint& checkpoint, const CheckedRequest& request, Placement placement)
      : checkpoint_(checkpoint),
        request_(request),
        placement_(placement),
        allocation_(placement.device.is_cpu() ? host_allocation() : gpu_allocation()),
        vae_(AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config)),
        clip_{request.size.num_frames, request.size.height, request.size.width} {}

  LatentShape latents() const override {
    // Latents of reference images come before the latents of the clip.
    ClipShape sampled = clip_;
    sampled.num_frames +=
        static_cast<int64_t>(request_.conditions.reference_images.size()) * vae_.scale_factor_temporal;
    if (checkpoint_.has(kTransformer)) return wan_geometry(transformer(kTransformer), vae_).latents(sampled);
    LatentShape shape = checkpoint_.geometry().latents(sampled);
    shape.tokens = 0;
    return shape;
  }

  ComponentUse use(const std::string& component) const override {
    if (component == "text_encoder") {
      const at::ScalarType dtype = placement_.dtype == at::kHalf ? at::kFloat : placement_.dtype;
      // Only the rows of the tokens are read from the embedding.
      return {.options = {.placement = {dtype, placement_.device}, .keep_in_fp32 = {}},
              .prefix = "encoder.block."};
    }
    if (component == "vae") {
      // Its convolutions are copied into another memory layout.
      return {.options = {.placement = {}, .keep_in_fp32 = {}},
              .prefix = encodes() ? "" : "decoder.",
              .is_copied = true};
    }
    if (component == "image_encoder") return {.options = {.placement = {}, .keep_in_fp32 = {}}};
    return {.options = {.placement = placement_,
                        .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
                        .loras = {},
                        .fp8_matrices = request_.machine.dtype == kFp8},
            .blocks = is_controlled() ? WanVACETransformer3DModel::block_prefixes()
                                      : WanTransformer3DModel::block_prefixes()};
  }

  NetworkSize size(const std::string& component) const override {
    if (component == "text_encoder") return {text_encoder().d_model, kWanMaxSequenceLength};
    if (component == "vae") return {vae_.decoder_base_dim, clip_.height * clip_.width};
    return {transformer(component).dim(), latents().tokens};
  }

  ComponentWork text() const override {
    const at::ScalarType dtype = use("text_encoder").options.placement.dtype;
    const Cost cost = encode_cost(text_encoder(), kWanMaxSequenceLength, dtype, allocation_);
    return {.component = "text_encoder", .flops = cost.flops, .bytes = cost.peak_bytes};
  }

  std::vector<ComponentWork> conditions() const override {
    std::vector<ComponentWork> work;
    if (!encodes()) return work;
    if (sees_images()) work.push_back(image_encoding());
    work.push_back(vae_encoding());
    return work;
  }

  ComponentWork sampling(const std::string& component) const override {
    constexpr double kPrompts = 2;
    const DenoisingCost& cost = denoising(component);
    const WanTransformer3DConfig config = transformer(component);
    const int64_t tokens = latents().tokens;
    const double at_work = std::max(cost.forward.peak_bytes, preview_bytes());
    return {.component = component,
            .flops = cost.forward.flops,
            .bytes = kPrompts * cost.prompt.kept_bytes + at_work + sampler_bytes(config, tokens) +
                     cache_bytes(request_, config, tokens) +
                     fp8_bytes(checkpoint_.get(component), use(component).options)};
  }

  ComponentWork decoding() const override {
    if (decoding_) return *decoding_;
    decoding_ = {.component = "vae"};
    const Cost whole = decode(clip_);
    decoding_->flops = whole.flops;
    decoding_->bytes = is_tiled() ? decode(tile_of(clip_, VaeTiling{}.tile)).peak_bytes : whole.peak_bytes;
    // Tiles are joined on the host, in float32 RGB.
    if (is_tiled())
      decoding_->host_bytes = 12.0 * static_cast<double>(clip_.num_frames * clip_.height * clip_.width);
    return *decoding_;
  }

 private:
  bool is_tiled() const { return request_.machine.vae_tiling; }
  /// Whether the clip begins with encoding images or a control. Without a control VACE encodes grey.
  bool encodes() const { return is_controlled() || !request_.conditions.image.empty(); }
  bool is_controlled() const { return checkpoint_.pipeline() == "WanVACEPipeline"; }

  WanTransformer3DConfig transformer(const std::string& component) const {
    return WanTransformer3DConfig::from_config(checkpoint_.get(component).config);
  }
  UMT5Config text_encoder() const { return UMT5Config::from_config(checkpoint_.get("text_encoder").config); }
  bool sees_images() const {
    return transformer(kTransformer).image_dim && !request_.conditions.image.empty() &&
           checkpoint_.has("image_encoder");
  }

  ComponentWork image_encoding() const {
    const auto config = CLIPVisionConfig::from_config(checkpoint_.get("image_encoder").config);
    const Cost cost = encode_cost(config, request_.conditions.end_image.empty() ? 1 : 2, allocation_);
    return {.component = "image_encoder", .flops = cost.flops, .bytes = cost.peak_bytes};
  }

  ComponentWork vae_encoding() const {
    ComponentWork work{.component = "vae"};
    for (const ClipShape& clip : encoded_clips()) {
      const Cost whole = encode_cost(vae_, clip, allocation_);
      work.flops += whole.flops;
      const int64_t tile = VaeTiling{}.tile;
      const bool cut = is_tiled() && std::max(clip.height, clip.width) > tile;
      // The tile sizes here are in patches.
      const double bytes =
          cut ? encode_cost(vae_, tile_of(clip, tile * vae_.patch_size), allocation_).peak_bytes
              : whole.peak_bytes;
      work.bytes = std::max(work.bytes, bytes);
    }
    // The mask of all frames is float32 RGB, in three steps if it comes from a file.
    if (is_controlled()) {
      const double rgb = 12.0 * static_cast<double>(clip_.num_frames * clip_.height * clip_.width);
      work.host_bytes = request_.conditions.control_mask.empty() ? rgb : 3 * rgb;
    }
    return work;
  }

  /// Decoding, with the conversion of pixels to 8 bits.
  Cost decode(const ClipShape& clip) const {
    return decode_cost(vae_, clip, allocation_,
                       [](const Tensor& pixels) { rgb_levels(pixels).to(at::kByte).contiguous(); });
  }

  /// The clips that are encoded, one after the other.
  std::vector<ClipShape> encoded_clips() const {
    const ClipShape image{1, clip_.height, clip_.width};
    if (!is_controlled()) return {checkpoint_.index.boolean("expand_timesteps", false) ? image : clip_};
    std::vector<ClipShape> clips = {clip_, clip_};  // the kept part and the new part
    clips.insert(clips.end(), request_.conditions.reference_images.size(), image);
    return clips;
  }

  const DenoisingCost& denoising(const std::string& component) const {
    const auto known = denoising_.find(component);
    if (known != denoising_.end()) return known->second;
    const Config& config = checkpoint_.get(component).config;
    const DenoisingCost cost = is_controlled()
                                   ? denoising_cost(WanVACETransformer3DConfig::from_config(config),
                                                    latents(), placement_.dtype, allocation_)
                                   : denoising_cost(WanTransformer3DConfig::from_config(config), latents(),
                                                    placement_.dtype, allocation_);
    return denoising_.emplace(component, cost).first->second;
  }

  /// A preview decodes one frame at a time.
  double preview_bytes() const {
    if (!request_.outputs.makes_previews()) return 0;
    const ClipShape frame{1, clip_.height, clip_.width};
    return decode(is_tiled() ? tile_of(frame, VaeTiling{}.tile) : frame).peak_bytes;
  }

  const Checkpoint& checkpoint_;
  const CheckedRequest& request_;
  Placement placement_;
  Allocation allocation_;
  AutoencoderKLWanConfig vae_;
  ClipShape clip_;
  // Counting takes milliseconds.
  mutable std::map<std::string, DenoisingCost> denoising_;
  mutable std::optional<ComponentWork> decoding_;
};

}  // namespace

std::unique_ptr<CostModel> make_wan_cost_model(const Checkpoint& checkpoint, const CheckedRequest& request,
                                               Placement placement) {
  return std::make_unique<WanCostModel>(checkpoint, request, placement);
}

}  // namespace t2v
