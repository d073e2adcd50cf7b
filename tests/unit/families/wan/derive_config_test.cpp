#include <filesystem>
#include <fstream>

#include <nlohmann/json.hpp>

#include "families/wan/wan_parts.h"
#include "unit/checkpoint_files.h"

namespace t2v {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

json read_json(const std::string& name) {
  return json::parse(std::ifstream(std::filesystem::path(T2V_FIXTURES) / name));
}

/// The names and shapes alone. "blocks.N.x" stands for every layer.
PartInfo part_of(const json& tensors, int64_t layers) {
  PartInfo part{.origin = "a file"};
  for (const auto& [name, shape] : tensors.items()) {
    const size_t layer = name.find(".N.");
    for (int64_t i = 0; i < (layer == std::string::npos ? 1 : layers); ++i) {
      std::string full = name;
      if (layer != std::string::npos) full.replace(layer + 1, 1, std::to_string(i));
      part.tensors[full] = shape.get<std::vector<int64_t>>();
    }
  }
  return part;
}

Config derived(const std::string& kind, const PartInfo& part) {
  return derive_wan_config(kind, part, {.beside = no_config(), .replaced = no_config()});
}

TEST(DeriveConfigTest, ShapesTellThePublishedConfigs) {
  const json models = read_json("published_models.json");
  for (const auto& [name, model] : models.items()) {
    SCOPED_TRACE(name);
    const json& published = model.at("config");
    const std::string kind = name.starts_with("umt5")   ? "text_encoder"
                             : name.starts_with("clip") ? "image_encoder"
                                                        : "transformer";
    const int64_t layers = published.value("num_layers", published.value("num_hidden_layers", int64_t{0}));
    const PartInfo part = part_of(model.at("tensors"), layers);
    const Config config = derived(kind, part);
    for (const auto& [key, value] : published.items()) EXPECT_EQ(config.json().at(key), value) << key;
  }
}

TEST(DeriveConfigTest, ABlockThatLacksATensorIsABlock) {
  const json models = read_json("published_models.json");
  for (const auto& [name, model] : models.items()) {
    const json& published = model.at("config");
    if (!published.contains("num_layers") || name.starts_with("umt5")) continue;
    PartInfo part = part_of(model.at("tensors"), published.at("num_layers").get<int64_t>());
    ASSERT_EQ(part.tensors.erase("blocks.3.attn1.to_q.weight"), 1u) << name;
    EXPECT_EQ(derived("transformer", part).json().at("num_layers"), published.at("num_layers")) << name;
  }
}

TEST(DeriveConfigTest, ShapesTellTheVaes) {
  const json wan_2_1 = {{"base_dim", 96},
                        {"z_dim", 16},
                        {"is_residual", false},
                        {"in_channels", 3},
                        {"out_channels", 3},
                        {"patch_size", nullptr},
                        {"scale_factor_spatial", 8},
                        {"decoder_base_dim", nullptr}};
  const json wan_2_2 = {
      {"base_dim", 160},    {"z_dim", 48},     {"is_residual", true},        {"in_channels", 12},
      {"out_channels", 12}, {"patch_size", 2}, {"scale_factor_spatial", 16}, {"decoder_base_dim", 256}};
  for (const auto& [file, published] : {std::pair("wan2.1", wan_2_1), std::pair("wan2.2", wan_2_2)}) {
    SCOPED_TRACE(file);
    const Config config =
        derived("vae", part_of(read_json("autoencoders/" + std::string(file) + "_shapes.json"), 1));
    for (const auto& [key, value] : published.items()) EXPECT_EQ(config.json().at(key), value) << key;
    EXPECT_EQ(config.integers("dim_mult", {}), (std::vector<int64_t>{1, 2, 4, 4}));
    EXPECT_EQ(config.integer("num_res_blocks", 0), 2);
    EXPECT_EQ(config.booleans("temperal_downsample", {}), (std::vector<bool>{false, true, true}));
    EXPECT_EQ(config.integer("scale_factor_temporal", 0), 4);
    EXPECT_EQ(config.numbers("latents_std", {}).size(), static_cast<size_t>(config.integer("z_dim", 0)));
  }
}

TEST(DeriveConfigTest, NamesWhatIsMissing) {
  PartInfo part = part_of({{"patch_embedding.weight", {5120, 16}}}, 1);
  EXPECT_THAT(input_error([&] { derived("transformer", part); }), HasSubstr("'patch_embedding.weight'"));
  part = part_of({{"patch_embedding.weight", {5120, 16, 1, 2, 2}}}, 1);
  EXPECT_THAT(input_error([&] { derived("transformer", part); }), HasSubstr("proj_out.weight"));
  part = part_of({{"patch_embedding.weight", {0, 16, 1, 2, 2}}}, 1);
  EXPECT_THAT(input_error([&] { derived("transformer", part); }), HasSubstr("none of them 0"));
}

}  // namespace
}  // namespace t2v
