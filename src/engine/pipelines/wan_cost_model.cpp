#include "engine/pipelines/wan_cost_model.h"

#include <algorithm>

#include "engine/pipelines/wan_parts.h"
#include "engine/planning/memory_plan.h"
#include "engine/planning/vae_memory.h"
#include "networks/text_encoders/clip_vision.h"
#include "networks/text_encoders/umt5_encoder.h"
#include "networks/transformers/transformer_wan.h"
#include "networks/transformers/transformer_wan_vace.h"

namespace t2v {
namespace {

class WanCostModel final : public CostModel {
 public:
  WanCostModel(const Checkpoint& checkpoint, const CheckedRequest& request, Placement placement)
      : checkpoint_(checkpoint),
        request_(request),
        placement_(placement),
        vae_(AutoencoderKLWanConfig::from_config(checkpoint.get("vae").config)),
        clip_{request.size.num_frames, request.size.height, request.size.width} {}

  LatentShape latents() const override {
    const ClipShape clip = sampled_shape(request_, vae_);
    if (checkpoint_.has(kTransformer)) return wan_geometry(transformer(kTransformer), vae_).latents(clip);
    LatentShape shape = checkpoint_.geometry().latents(clip);
    shape.tokens = 0;
    return shape;
  }

  ComponentUse use(const std::string& component) const override {
    if (component == "text_encoder") {
      const at::ScalarType dtype = placement_.dtype == at::kHalf ? at::kFloat : placement_.dtype;
      // Of the embedding only the rows of the tokens are read.
      return {.options = {.placement = {dtype, placement_.device}, .keep_in_fp32 = {}},
              .prefix = "encoder.block."};
    }
    if (component == "vae") {
      // Its convolutions are laid out anew.
      return {.options = {.placement = {}, .keep_in_fp32 = {}},
              .prefix = std::string(vae_prefix(checkpoint_, request_)),
              .is_copied = true};
    }
    if (component == "image_encoder") return {.options = {.placement = {}, .keep_in_fp32 = {}}};
    return {.options = {.placement = placement_,
                        .keep_in_fp32 = WanTransformer3DModel::keep_in_fp32(),
                        .loras = {},
                        .fp8_matrices = request_.machine.dtype == "fp8"}};
  }

  NetworkSize size(const std::string& component) const override {
    if (component == "text_encoder") return {text_encoder().d_model, kWanMaxSequenceLength};
    if (component == "vae") return {vae_.decoder_base_dim, clip_.height * clip_.width};
    return {transformer(component).dim(), latents().tokens};
  }

  ComponentWork text() const override {
    const UMT5Config config = text_encoder();
    // The scores of the attention, three times.
    const double scores =
        4.0 * kWanMaxSequenceLength * kWanMaxSequenceLength * static_cast<double>(config.num_heads);
    return {
        .component = "text_encoder", .flops = text_flops(config, kWanMaxSequenceLength), .bytes = 3 * scores};
  }

  std::vector<ComponentWork> conditions() const override {
    std::vector<ComponentWork> work;
    if (!encodes_images(checkpoint_, request_)) return work;
    if (sees_images()) work.push_back(image_encoding());
    work.push_back(vae_encoding());
    return work;
  }

  ComponentWork sampling(const std::string& component) const override {
    const WanTransformer3DConfig config = transformer(component);
    const auto bytes = static_cast<double>(sampling_bytes(checkpoint_, component, request_, placement_));
    // Below this size the tensors of a forward pass are on the heap.
    constexpr double kLargeActivations = 256 << 20;
    const bool on_heap = on_cpu() && bytes < kLargeActivations;
    return {.component = component,
            .flops = branches(component) * forward_flops(config, latents().tokens).total(),
            .bytes = (on_heap ? host_allocation().overhead : 1) * bytes};
  }

  ComponentWork decoding() const override {
    const std::optional<int64_t> tile = tile_of(request_);
    const double pixels = 3 * static_cast<double>(clip_.height * clip_.width * clip_.num_frames);
    return {.component = "vae",
            .flops = decode_flops(vae_, clip_),
            .bytes = decode_bytes(vae_, clip_, allocation(), tile),
            .host_bytes = tile ? 4 * pixels : 0};  // tiles are joined there, in float32
  }

 private:
  bool on_cpu() const { return placement_.device.is_cpu(); }
  AllocationCost allocation() const { return on_cpu() ? host_allocation() : gpu_allocation(); }
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
    const double count = request_.conditions.end_image.empty() ? 1 : 2;
    // A layer at work on an image: its input, sums, query, key, value and the inside of the feed-forward,
    // twice.
    const double activations = 4.0 * static_cast<double>(config.num_positions()) *
                               static_cast<double>(6 * config.hidden_size + 2 * config.intermediate_size);
    return {.component = "image_encoder", .flops = count * image_flops(config), .bytes = count * activations};
  }

  ComponentWork vae_encoding() const {
    ComponentWork work{.component = "vae"};
    for (const ClipShape& clip : encoded_clips()) {
      work.bytes = std::max(work.bytes, encode_bytes(vae_, clip, allocation(), tile_of(request_)));
      work.flops += encode_flops(vae_, clip);
    }
    // The mask of all frames is float32 RGB, in three steps if it comes from a file.
    if (is_controlled()) {
      const double rgb = 12.0 * static_cast<double>(clip_.num_frames * clip_.height * clip_.width);
      work.host_bytes = request_.conditions.control_mask.empty() ? rgb : 3 * rgb;
    }
    return work;
  }

  /// One after the other.
  std::vector<ClipShape> encoded_clips() const {
    const ClipShape image{1, clip_.height, clip_.width};
    if (!is_controlled()) return {checkpoint_.index.boolean("expand_timesteps", false) ? image : clip_};
    std::vector<ClipShape> clips = {clip_, clip_};  // the part that stays and the part that is made anew
    clips.insert(clips.end(), request_.conditions.reference_images.size(), image);
    return clips;
  }

  /// The work of all branches as a multiple of the main one's.
  double branches(const std::string& component) const {
    if (!is_controlled()) return 1;
    const auto vace = WanVACETransformer3DConfig::from_config(checkpoint_.get(component).config);
    return 1 +
           static_cast<double>(vace.vace_layers.size()) / static_cast<double>(vace.transformer.num_layers);
  }

  const Checkpoint& checkpoint_;
  const CheckedRequest& request_;
  Placement placement_;
  AutoencoderKLWanConfig vae_;
  ClipShape clip_;
};

}  // namespace

std::unique_ptr<CostModel> make_wan_cost_model(const Checkpoint& checkpoint, const CheckedRequest& request,
                                               Placement placement) {
  return std::make_unique<WanCostModel>(checkpoint, request, placement);
}

}  // namespace t2v
