#include "networks/transformers/transformer_wan_vace.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "unit/published_models.h"
#include "variant.h"

namespace t2v {
namespace {

using testing::error_of;
using ::testing::HasSubstr;
using testing::relative_error;
using testing::Variant;

const std::vector<double> kScale = {0.7, 1.3};  // the golden output's

class Vace : public ::testing::Test {
 protected:
  WanVACETransformer3DModel load(at::ScalarType dtype = at::kFloat, BlockResidency residency = {}) const {
    const Weights weights = variant_.weights(dtype);
    WanVACETransformer3DModel model(weights, WanVACETransformer3DConfig::from_config(variant_.config),
                                    residency);
    weights.expect_all_used();
    return model;
  }
  Tensor run(const WanVACETransformer3DModel& model, const Tensor& control,
             const std::vector<double>& scale = kScale) const {
    return model.forward(variant_.golden.tensor("hidden_states"), variant_.golden.tensor("timestep"),
                         model.prepare(variant_.prompt_embeds()), control, scale);
  }
  Tensor control() const { return variant_.golden.tensor("control_hidden_states"); }

  Variant variant_{"vace"};
};

TEST_F(Vace, EqualsTheReferenceInFloat32) {
  EXPECT_LE(relative_error(run(load(), control()), variant_.golden.tensor("float32")), 1e-5);
}

TEST_F(Vace, InBfloat16IsNearerToFloat32ThanTheReference) {
  const Tensor noise_pred = run(load(at::kBFloat16), control());
  EXPECT_LE(relative_error(noise_pred, variant_.golden.tensor("float32")), variant_.bfloat16_distance());
}

TEST_F(Vace, BlocksThatAreBuiltForEachUseComputeTheSame) {
  const Tensor expected = run(load(), control());
  EXPECT_TRUE(run(load(at::kFloat, {.resident = 0}), control()).equal(expected));
  EXPECT_TRUE(run(load(at::kFloat, {.resident = 1, .ahead = 1}), control()).equal(expected));
}

TEST_F(Vace, AShorterControlIsFollowedByEmptyTokens) {
  const Tensor noise_pred = run(load(), control().slice(2, 0, 1));
  EXPECT_LE(relative_error(noise_pred, variant_.golden.tensor("short_control")), 1e-5);
  EXPECT_GT(relative_error(noise_pred, variant_.golden.tensor("float32")), 1e-3);
}

TEST_F(Vace, RejectsAControlThatDoesNotFit) {
  const WanVACETransformer3DModel model = load();
  EXPECT_THAT(error_of([&] { run(model, at::zeros({2, 7, 3, 4, 6})); }), HasSubstr("control latents of 18"));
  EXPECT_THAT(error_of([&] { run(model, at::zeros({2, 8, 2, 4, 6})); }), HasSubstr("8 channels"));
  EXPECT_THAT(error_of([&] { run(model, control(), {1.0}); }), HasSubstr("1 scales"));
}

TEST(WanVACETransformer3DModel, AsksForTheTensorsOfThePublishedModels) {
  for (const char* name : {"Wan2.1-VACE-1.3B", "Wan2.1-VACE-14B"}) {
    const nlohmann::json published = testing::published_model(name);
    const Weights weights = testing::hollow_checkpoint(published);
    const auto config = WanVACETransformer3DConfig::from_config(Config(published["config"], name));
    const WanVACETransformer3DModel model(weights, config);
    EXPECT_EQ(error_of([&] { weights.expect_all_used(); }), "") << name;
  }
}

}  // namespace
}  // namespace t2v
