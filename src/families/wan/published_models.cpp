#include "families/wan/published_models.h"

#include <array>

#include <nlohmann/json.hpp>

#include "families/wan/experts.h"

namespace t2v {
namespace {

/// Properties that tell the published models apart.
struct Traits {
  bool vace = false, two_experts = false, image_branch = false, image_positions = false;
  int64_t in_channels = 16, width = 0;

  bool operator==(const Traits&) const = default;
};

struct Published {
  const char *series, *name, *repository;
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

Traits traits_of(const ModelInfo& model) {
  const Config transformer = model.config("transformer");
  return {.vace = transformer.text("_class_name", "") == "WanVACETransformer3DModel",
          .two_experts =
              model.has("transformer_2") || model.index.has("boundary_ratio") || !lone_expert(model).empty(),
          .image_branch = transformer.has("image_dim"),
          .image_positions = transformer.has("pos_embed_seq_len"),
          .in_channels = transformer.integer("in_channels", 16),
          .width = transformer.integer("num_attention_heads", 40) *
                   transformer.integer("attention_head_dim", 128)};
}

bool expands_timesteps(const ModelInfo& model) { return model.index.boolean("expand_timesteps", false); }

std::string task_of(const Traits& traits, const ModelInfo& model) {
  if (traits.vace) return "VACE";
  if (traits.image_positions) return "FLF2V";
  if (expands_timesteps(model)) return "TI2V";
  return model.index.text("_class_name", "") == "WanImageToVideoPipeline" ? "I2V" : "T2V";
}

/// The series of parts without a transformer; several models share most of them.
const char* series_of_parts(const ModelInfo& model) {
  if (model.config("vae").boolean("is_residual", false)) return "Wan2.2";
  // Nothing of Wan2.2 has an image encoder.
  return model.has("image_encoder") ? "Wan2.1" : "Wan2.1 and Wan2.2";
}

}  // namespace

std::optional<LatentStatistics> latent_statistics(int64_t channels) {
  static const LatentStatistics wan_2_1 = {
      .mean = {-0.7571, -0.7089, -0.9113, 0.1075, -0.1745, 0.9653, -0.1517, 1.5508, 0.4134, -0.0715, 0.5517,
               -0.3632, -0.1922, -0.9497, 0.2503, -0.2921},
      .std = {2.8184, 1.4541, 2.3275, 2.6558, 1.2196, 1.7708, 2.6052, 2.0743, 3.2687, 2.1526, 2.8652, 1.5579,
              1.6382, 1.1253, 2.8251, 1.916}};
  static const LatentStatistics wan_2_2 = {
      .mean = {-0.2289, -0.0052, -0.1323, -0.2339, -0.2799, 0.0174,  0.1838,  0.1557,  -0.1382, 0.0542,
               0.2813,  0.0891,  0.157,   -0.0098, 0.0375,  -0.1825, -0.2246, -0.1207, -0.0698, 0.5109,
               0.2665,  -0.2108, -0.2158, 0.2502,  -0.2055, -0.0322, 0.1109,  0.1567,  -0.0729, 0.0899,
               -0.2799, -0.123,  -0.0313, -0.1649, 0.0117,  0.0723,  -0.2839, -0.2083, -0.052,  0.3748,
               0.0152,  0.1957,  0.1433,  -0.2944, 0.3573,  -0.0548, -0.1681, -0.0667},
      .std = {0.4765, 1.0364, 0.4514, 1.1677, 0.5313, 0.499,  0.4818, 0.5013, 0.8158, 1.0344,
              0.5894, 1.0901, 0.6885, 0.6165, 0.8454, 0.4978, 0.5759, 0.3523, 0.7135, 0.6804,
              0.5833, 1.4146, 0.8986, 0.5659, 0.7069, 0.5338, 0.4889, 0.4917, 0.4069, 0.4999,
              0.6866, 0.4093, 0.5709, 0.6065, 0.6415, 0.4944, 0.5726, 1.2042, 0.5458, 1.6887,
              0.3971, 1.06,   0.3943, 0.5537, 0.5444, 0.4089, 0.7468, 0.7744}};
  if (channels == 16) return wan_2_1;
  if (channels == 48) return wan_2_2;
  return std::nullopt;
}

Config published_scheduler(const Config& transformer) {
  constexpr double kUsual = 3, kFirstAndLastFrame = 16, kTwicePacked = 5;
  double flow_shift = kUsual;
  if (transformer.has("pos_embed_seq_len")) flow_shift = kFirstAndLastFrame;
  if (transformer.integer("in_channels", 16) == 48) flow_shift = kTwicePacked;
  return Config(nlohmann::json{{"_class_name", "UniPCMultistepScheduler"},
                               {"num_train_timesteps", 1000},
                               {"prediction_type", "flow_prediction"},
                               {"use_flow_sigmas", true},
                               {"flow_shift", flow_shift}},
                "the scheduler of the published model");
}

double published_boundary_ratio(const Config& transformer) {
  const bool sees_image = transformer.integer("in_channels", 16) > transformer.integer("out_channels", 16);
  return sees_image ? 0.9 : 0.875;
}

ModelName wan_model_name(const ModelInfo& model) {
  if (!model.has("transformer")) return {series_of_parts(model), "", ""};
  const Traits traits = traits_of(model);
  for (const Published& published : kPublished) {
    if (published.traits == traits) return {published.series, published.name, published.repository};
  }
  const int64_t blocks = model.config("transformer").integer("num_layers", 40);
  return {traits.two_experts || expands_timesteps(model) ? "Wan2.2" : "Wan2.1",
          task_of(traits, model) + " of width " + std::to_string(traits.width) + " with " +
              std::to_string(blocks) + (blocks == 1 ? " block" : " blocks"),
          ""};
}

}  // namespace t2v
