#pragma once

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "families/family.h"

namespace t2v::testing {

inline constexpr const char* kUnet = "unet";
inline constexpr const char* kVqVae = "vqvae";
inline constexpr const char* kTextEncoder2 = "text_encoder_2";
inline constexpr const char* kTokenizer2 = "tokenizer_2";

/// A family that shares no name of a part, class or tensor with the others. Its clips have an even number of
/// frames, two for each latent frame, and four pixels for each latent.
class SketchFamily : public Family {
 public:
  std::string name() const override { return "Sketch"; }

  const std::vector<PartKind>& parts() const override {
    static const std::vector<PartKind> parts = {
        network(kUnet, "SketchUNet",
                {{"diffusers", "conv_in.weight"}, {"original", "paper.w", original_unet()}}),
        network(kVqVae, "SketchVQModel", {{"diffusers", "unpatch.weight"}}),
        network(kTextEncoder2, "SketchTextModel", {{"transformers", "words.weight"}}),
        {.name = kTokenizer2,
         .library = "transformers",
         .classes = {"SketchTokenizer"},
         .where = "a sketch pad"}};
    return parts;
  }

  const IndexFormat& index_format() const override {
    static const IndexFormat format = {.pipelines = {"SketchPipeline"}};
    return format;
  }

  Config derive_config(const std::string& part, const PartInfo& info, const ConfigHints&) const override {
    if (part == kUnet) {
      return Config({{"channels", info.size("conv_in.weight", 1)},
                     {"width", info.size("conv_in.weight", 0)},
                     {"text_width", info.size("attention.key.weight", 1)}},
                    info.origin);
    }
    if (part == kVqVae) return Config({{"channels", info.size("unpatch.weight", 1)}}, info.origin);
    return Config({{"words", info.size("words.weight", 0)}, {"width", info.size("words.weight", 1)}},
                  info.origin);
  }

  Config read_index(const Config& model_index) const override {
    return Config({{"_class_name", model_index.text("_class_name", "")}}, model_index.origin());
  }
  Config derive_index(const ModelInfo&) const override {
    return Config({{"_class_name", "SketchPipeline"}}, "model_index.json");
  }
  Config published_scheduler(const PartInfo&) const override {
    return Config({{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"shift", 2.0}},
                  "scheduler_config.json");
  }
  ModelName model_name(const ModelInfo&) const override { return {"Sketch", "", ""}; }
  AcceptedConditions conditions(const ModelInfo&) const override { return {"a sketch model", {}}; }
  LatentGeometry geometry(const ModelInfo& model) const override {
    return {.channels = model.config(kVqVae).integer("channels", 0),
            .temporal_factor = 2,
            .spatial_factor = 4,
            .first_frames = 2};
  }

 private:
  static PartKind network(const std::string& name, const std::string& class_name,
                          std::vector<KeyMap> key_maps) {
    return {.name = name,
            .library = "diffusers",
            .classes = {class_name},
            .weights = name + "_weights",
            .where = "a sketch pad",
            .tokenizer = name == kTextEncoder2 ? kTokenizer2 : "",
            .key_maps = std::move(key_maps)};
  }
  static RenameTable original_unet() {
    return {{"paper.w", "conv_in.weight"}, {"paper.b", "conv_in.bias"}, {"pen.w", "conv_out.weight"},
            {"pen.b", "conv_out.bias"},    {"clock.*", "time.*"},       {"read.*", "attention.*"}};
  }
};

}  // namespace t2v::testing
