#include "files/checkpoints/variant.h"

#include <array>

namespace t2v {
namespace {

/// What tells the published models apart.
struct Traits {
  bool vace = false, two_experts = false, image_branch = false, image_positions = false;
  int64_t in_channels = 16, width = 0;

  bool operator==(const Traits&) const = default;
};

struct Published {
  const char *family, *name, *repository;
  Traits traits;
};

constexpr int64_t k1300M = 1536, k5B = 3072, k14B = 5120;  // widths

constexpr std::array<Published, 9> kPublished = {{
    {"Wan2.1", "T2V-1.3B", "Wan-AI/Wan2.1-T2V-1.3B-Diffusers", {.width = k1300M}},
    {"Wan2.1", "T2V-14B", "Wan-AI/Wan2.1-T2V-14B-Diffusers", {.width = k14B}},
    {"Wan2.1",
     "I2V-14B",
     "Wan-AI/Wan2.1-I2V-14B-480P-Diffusers",
     {.image_branch = true, .in_channels = 36, .width = k14B}},
    {"Wan2.1",
     "FLF2V-14B",
     "Wan-AI/Wan2.1-FLF2V-14B-720P-diffusers",
     {.image_branch = true, .image_positions = true, .in_channels = 36, .width = k14B}},
    {"Wan2.1", "VACE-1.3B", "Wan-AI/Wan2.1-VACE-1.3B-diffusers", {.vace = true, .width = k1300M}},
    {"Wan2.1", "VACE-14B", "Wan-AI/Wan2.1-VACE-14B-diffusers", {.vace = true, .width = k14B}},
    {"Wan2.2", "T2V-A14B", "Wan-AI/Wan2.2-T2V-A14B-Diffusers", {.two_experts = true, .width = k14B}},
    {"Wan2.2",
     "I2V-A14B",
     "Wan-AI/Wan2.2-I2V-A14B-Diffusers",
     {.two_experts = true, .in_channels = 36, .width = k14B}},
    {"Wan2.2", "TI2V-5B", "Wan-AI/Wan2.2-TI2V-5B-Diffusers", {.in_channels = 48, .width = k5B}},
}};

Traits traits_of(const Config& transformer, const Checkpoint& checkpoint) {
  const int64_t in_channels = transformer.integer("in_channels", 16);
  const bool image_branch = transformer.has("image_dim");
  return {.vace = transformer.text("_class_name", "") == "WanVACETransformer3DModel",
          .two_experts = checkpoint.has("transformer_2") || checkpoint.boundary_ratio.has_value() ||
                         !checkpoint.lone_expert().empty(),
          .image_branch = image_branch,
          .image_positions = transformer.has("pos_embed_seq_len"),
          .in_channels = in_channels,
          .width = transformer.integer("num_attention_heads", 40) *
                   transformer.integer("attention_head_dim", 128)};
}

std::string task_of(const Traits& traits, const Checkpoint& checkpoint) {
  if (traits.vace) return "VACE";
  if (traits.image_positions) return "FLF2V";
  if (checkpoint.expand_timesteps) return "TI2V";
  return checkpoint.pipeline == PipelineClass::kWanImageToVideo ? "I2V" : "T2V";
}

/// Of parts without a transformer, most of which several models share.
const char* family_of_parts(const Checkpoint& checkpoint) {
  if (checkpoint.has("vae") && checkpoint.get("vae").config.boolean("is_residual", false)) return "Wan2.2";
  // Nothing of Wan2.2 has an image encoder.
  return checkpoint.has("image_encoder") ? "Wan2.1" : "Wan2.1 and Wan2.2";
}

}  // namespace

Variant variant_of(const Checkpoint& checkpoint) {
  if (!checkpoint.has("transformer")) return {family_of_parts(checkpoint), "", ""};
  const Config& transformer = checkpoint.get("transformer").config;
  const Traits traits = traits_of(transformer, checkpoint);
  for (const Published& published : kPublished) {
    if (published.traits == traits) return {published.family, published.name, published.repository};
  }
  const bool later = traits.two_experts || checkpoint.expand_timesteps;
  const int64_t blocks = transformer.integer("num_layers", 40);
  return {later ? "Wan2.2" : "Wan2.1",
          task_of(traits, checkpoint) + " of width " + std::to_string(traits.width) + " with " +
              std::to_string(blocks) + (blocks == 1 ? " block" : " blocks"),
          ""};
}

}  // namespace t2v
