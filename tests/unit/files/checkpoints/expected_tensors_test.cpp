#include "files/checkpoints/expected_tensors.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "t2v/error.h"

namespace t2v {
namespace {

const std::filesystem::path kFixtures = T2V_FIXTURES;

/// "blocks.N.x" of a list of names stands for every layer.
TensorShapes with_every_layer(const nlohmann::json& tensors, int64_t layers) {
  TensorShapes shapes;
  for (const auto& [name, shape] : tensors.items()) {
    const size_t layer = name.find(".N.");
    const int64_t count = layer == std::string::npos ? 1 : layers;
    for (int64_t i = 0; i < count; ++i) {
      const std::string full = layer == std::string::npos
                                   ? name
                                   : name.substr(0, layer + 1) + std::to_string(i) + name.substr(layer + 2);
      shapes[full] = shape.get<std::vector<int64_t>>();
    }
  }
  return shapes;
}

std::string component_of(const std::string& model) {
  if (model.starts_with("umt5")) return "text_encoder";
  return model.starts_with("clip") ? "image_encoder" : "transformer";
}

TEST(ExpectedTensorsTest, AreThoseOfTheReferenceForEveryPublishedModel) {
  const auto models = nlohmann::json::parse(std::ifstream(kFixtures / "published_models.json"));
  ASSERT_GE(models.size(), 10u);
  for (const auto& [name, model] : models.items()) {
    SCOPED_TRACE(name);
    nlohmann::json config = model.at("config");
    if (config.contains("vace_layers")) config["_class_name"] = "WanVACETransformer3DModel";
    const int64_t layers = config.value("num_layers", config.value("num_hidden_layers", int64_t{0}));
    const TensorShapes expected = with_every_layer(model.at("tensors"), layers);
    EXPECT_EQ(expected_tensors(component_of(name), Config(config, name)), expected);
  }
}

TEST(ExpectedTensorsTest, AreThoseOfTheReferenceForTheVaes) {
  const auto reference = [](const std::string& file) {
    return with_every_layer(nlohmann::json::parse(std::ifstream(kFixtures / "autoencoders" / file)), 1);
  };
  EXPECT_EQ(expected_tensors("vae", Config(nlohmann::json::object(), "Wan2.1")),
            reference("wan2.1_shapes.json"));
  const Config config({{"base_dim", 160},
                       {"decoder_base_dim", 256},
                       {"z_dim", 48},
                       {"is_residual", true},
                       {"in_channels", 12},
                       {"out_channels", 12}},
                      "Wan2.2");
  EXPECT_EQ(expected_tensors("vae", config), reference("wan2.2_shapes.json"));
}

TEST(ExpectedTensorsTest, AbsurdConfigs) {
  const auto refused = [](const std::string& component, const nlohmann::json& config) {
    EXPECT_THROW(expected_tensors(component, Config(config, "config.json")), Error) << config;
  };
  refused("transformer", {{"num_layers", 1'000'000'000}});
  refused("transformer", {{"num_attention_heads", -1}});
  refused("transformer", {{"patch_size", {1, 2}}});
  refused("transformer", {{"patch_size", {1, 2, 0}}});
  refused("transformer",
          {{"_class_name", "WanVACETransformer3DModel"}, {"vace_layers", std::vector<int64_t>(1001, 0)}});
  refused("vae", {{"dim_mult", nlohmann::json::array()}});
  refused("vae", {{"dim_mult", {1, 2, 3, 4, 5, 6}}});
  refused("vae", {{"dim_mult", {1, -2, 4, 4}}});
  refused("text_encoder", {{"num_layers", "many"}});
  refused("image_encoder", {{"patch_size", 0}});
}

}  // namespace
}  // namespace t2v
