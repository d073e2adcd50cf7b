#include "families/wan/wan_family.h"

#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace t2v {
namespace {

ModelInfo model_of(const nlohmann::json& index,
                   const nlohmann::json& transformer = nlohmann::json::object()) {
  ModelInfo model{.parts = {}, .index = Config(index, "model_index.json")};
  model.parts["transformer"].config = Config(transformer, "transformer");
  return model;
}

TEST(WanFamily, GeometryOfPublishedModels) {
  ModelInfo model;
  model.parts["vae"].config = Config(nlohmann::json::object(), "vae");
  EXPECT_EQ(wan_family().geometry(model).size_multiple(), 8);
  model.parts["transformer"].config = no_config();  // the defaults are those of the 14B
  const LatentGeometry geometry = wan_family().geometry(model);
  EXPECT_EQ(geometry.size_multiple(), 16);
  EXPECT_EQ(geometry.latents({.num_frames = 81, .height = 480, .width = 832}).tokens, 32760);
}

TEST(WanFamily, ConditionsOfEachKind) {
  const auto uses = [](const ModelInfo& model) {
    const AcceptedConditions conditions = wan_family().conditions(model);
    return std::vector<Use>{conditions.of(Condition::kImage), conditions.of(Condition::kEndImage),
                            conditions.of(Condition::kControl)};
  };
  using enum Use;
  const nlohmann::json image = {{"_class_name", "WanImageToVideoPipeline"}};
  EXPECT_EQ(uses(model_of({{"_class_name", "WanPipeline"}})), (std::vector{kNone, kNone, kNone}));
  EXPECT_EQ(uses(model_of({{"_class_name", "WanPipeline"}, {"expand_timesteps", true}})),
            (std::vector{kOptional, kNone, kNone}));
  EXPECT_EQ(uses(model_of({{"_class_name", "WanVACEPipeline"}})), (std::vector{kNone, kNone, kOptional}));
  EXPECT_EQ(uses(model_of(image, {{"image_dim", 1280}})), (std::vector{kRequired, kNone, kNone}));
  EXPECT_EQ(uses(model_of(image)), (std::vector{kRequired, kOptional, kNone}));
  EXPECT_EQ(uses(model_of(image, {{"image_dim", 1280}, {"pos_embed_seq_len", 514}})),
            (std::vector{kRequired, kRequired, kNone}));
}

TEST(WanFamily, ADistilledModelHasThePipelineOfTheOthers) {
  const Config index =
      wan_family().read_index(Config({{"_class_name", "WanDMDPipeline"}}, "model_index.json"));
  EXPECT_EQ(index.text("_class_name", ""), "WanPipeline");
  EXPECT_FALSE(index.has("boundary_ratio"));
}

}  // namespace
}  // namespace t2v
