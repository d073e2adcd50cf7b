#include "sampling/schedulers/flow_match_lcm.h"

#include "golden.h"

namespace t2v {
namespace {

using nlohmann::json;

const json kConfig = {{"_class_name", "FlowMatchLCMScheduler"}, {"shift", 5.0}};

TEST(FlowMatchLCM, GridsEqualTheReference) { golden::expect_grids("FlowMatchLCMScheduler", 14); }

TEST(FlowMatchLCM, StepsEqualTheReference) { golden::expect_traces("FlowMatchLCMScheduler", 12); }

TEST(FlowMatchLCM, TheNoiseIsThatOfTheGenerator) {
  const Tensor x = at::ones({1, 4});
  const auto first_step = [&](uint64_t seed) {
    const auto scheduler = make_scheduler(Config(kConfig, "test"), {});
    scheduler->set_timesteps(4);
    return scheduler->step(x, x, seeded_generator(seed));
  };
  EXPECT_TRUE(at::equal(first_step(7), first_step(7)));
  EXPECT_FALSE(at::allclose(first_step(7), first_step(8)));
}

TEST(FlowMatchLCM, IsWhatEulerWithStochasticSamplingIs) {
  json euler = {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"stochastic_sampling", true}};
  const auto made = make_scheduler(Config(euler, "test"), {});
  EXPECT_NE(dynamic_cast<FlowMatchLCMScheduler*>(made.get()), nullptr);
}

TEST(FlowMatchLCM, ScaleFactorsAreRefused) {
  json config = kConfig;
  config["scale_factors"] = {0.5};
  EXPECT_THROW(make_scheduler(Config(config, "test"), {}), Error);
}

}  // namespace
}  // namespace t2v
