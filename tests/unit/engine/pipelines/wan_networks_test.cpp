#include "engine/pipelines/wan_networks.h"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "families/wan/wan_parts.h"
#include "t2v/error.h"
#include "unit/published_models.h"

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

/// The tensors that a network asks for.
TensorShapes asked_for(const std::string& network, const Config& config) {
  TensorList list;
  construct_wan_network(network, config, Weights::record(list));
  TensorShapes shapes;
  for (const auto& [name, entry] : list.tensors) shapes.emplace(name, entry.shape);
  return shapes;
}

std::string component_of(const std::string& model) {
  if (model.starts_with("umt5")) return "text_encoder";
  return model.starts_with("clip") ? "image_encoder" : "transformer";
}

TEST(WanNetworksTest, AreThoseOfTheReferenceForEveryPublishedModel) {
  const auto models = nlohmann::json::parse(std::ifstream(kFixtures / "published_models.json"));
  ASSERT_GE(models.size(), 10u);
  for (const auto& [name, model] : models.items()) {
    SCOPED_TRACE(name);
    nlohmann::json config = model.at("config");
    if (config.contains("vace_layers")) config["_class_name"] = "WanVACETransformer3DModel";
    const int64_t layers = config.value("num_layers", config.value("num_hidden_layers", int64_t{0}));
    const TensorShapes expected = with_every_layer(model.at("tensors"), layers);
    EXPECT_EQ(asked_for(component_of(name), Config(config, name)), expected);
    const Config derived = derive_wan_config(component_of(name), {.origin = name, .tensors = expected},
                                             {.beside = no_config(), .replaced = no_config()});
    EXPECT_EQ(asked_for(component_of(name), derived), expected);
  }
}

TEST(WanNetworksTest, AreThoseOfTheReferenceForTheVaes) {
  const auto reference = [](const std::string& file) {
    return with_every_layer(nlohmann::json::parse(std::ifstream(kFixtures / "autoencoders" / file)), 1);
  };
  EXPECT_EQ(asked_for("vae", Config(nlohmann::json::object(), "Wan2.1")), reference("wan2.1_shapes.json"));
  const Config config({{"base_dim", 160},
                       {"decoder_base_dim", 256},
                       {"z_dim", 48},
                       {"is_residual", true},
                       {"in_channels", 12},
                       {"out_channels", 12},
                       {"patch_size", 2},
                       {"scale_factor_spatial", 16},
                       {"latents_mean", std::vector<double>(48, 0)},
                       {"latents_std", std::vector<double>(48, 1)}},
                      "Wan2.2");
  EXPECT_EQ(asked_for("vae", config), reference("wan2.2_shapes.json"));
}

TEST(WanNetworksTest, AbsurdConfigs) {
  const auto refused = [](const std::string& component, const nlohmann::json& config) {
    EXPECT_THROW(asked_for(component, Config(config, "config.json")), Error) << config;
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

TEST(WanNetworksTest, KnowsLayersThatAreNotRunAndNamesOfOtherClasses) {
  const nlohmann::json config = testing::published_model("clip-vit-h-14")["config"];
  TensorList list;
  construct_wan_network("image_encoder", Config(config, "config.json"), Weights::record(list));
  EXPECT_FALSE(list.tensors.at("post_layernorm.weight").needed);
  EXPECT_FALSE(list.tensors.at("encoder.layers.31.mlp.fc1.weight").needed);
  EXPECT_TRUE(list.tensors.at("encoder.layers.30.mlp.fc1.weight").needed);
  EXPECT_TRUE(list.knows("embeddings.position_ids"));
  EXPECT_TRUE(list.knows("text_projection.weight"));
  EXPECT_FALSE(list.knows("embeddings.other"));
}

TEST(WanNetworksTest, KeepsTheTransformersNormsInFloat32) {
  EXPECT_FALSE(wan_keep_in_fp32("transformer").empty());
  EXPECT_TRUE(wan_keep_in_fp32("vae").empty());
}

}  // namespace
}  // namespace t2v
