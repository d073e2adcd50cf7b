#pragma once

#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "families/registry.h"

namespace t2v::testing {

/// A family with parts that no other family has, and as little else as a family can have.
class OtherFamily : public Family {
 public:
  std::string name() const override { return "Other"; }
  const std::vector<PartKind>& parts() const override {
    static const std::vector<PartKind> parts = {
        network("transformer", {{"original", "net.0.w", {{"net.#.w", "layers.#.weight"}}}}),
        network("audio_vae", {{"diffusers", "mel.weight"}}),
        network("text_encoder_2", {{"transformers", "embed.weight"}}),
        {.name = "tokenizer_2",
         .library = "transformers",
         .classes = {"OtherTokenizer"},
         .where = "elsewhere"}};
    return parts;
  }
  const IndexFormat& index_format() const override {
    static const IndexFormat format = {.pipelines = {"OtherPipeline"}};
    return format;
  }
  Config derive_config(const std::string&, const PartInfo& info, const ConfigHints&) const override {
    return Config({{"layers", info.count_blocks("layers.")}}, info.origin);
  }
  Config read_index(const Config& model_index) const override { return model_index; }
  Config derive_index(const ModelInfo&) const override {
    return Config({{"_class_name", "OtherPipeline"}}, "model_index.json");
  }
  Config published_scheduler(const PartInfo&) const override { return no_config(); }
  ModelName model_name(const ModelInfo&) const override { return {"Other", "", ""}; }
  AcceptedConditions conditions(const ModelInfo&) const override { return {"another model", {}}; }
  LatentGeometry geometry(const ModelInfo&) const override { return {4, 1, 1}; }

 private:
  static PartKind network(const std::string& name, std::vector<KeyMap> key_maps) {
    return {.name = name,
            .library = "diffusers",
            .classes = {"Other_" + name},
            .weights = "model",
            .where = "elsewhere",
            .tokenizer = name == "text_encoder_2" ? "tokenizer_2" : "",
            .key_maps = std::move(key_maps)};
  }
};

}  // namespace t2v::testing
