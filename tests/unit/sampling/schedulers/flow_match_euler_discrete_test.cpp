#include "sampling/schedulers/flow_match_euler_discrete.h"

#include "golden.h"

namespace t2v {
namespace {

using nlohmann::json;

const json kConfig = {{"_class_name", "FlowMatchEulerDiscreteScheduler"}, {"shift", 3.0}};

TEST(FlowMatchEuler, GridsEqualTheReference) { golden::expect_grids("FlowMatchEulerDiscreteScheduler", 40); }

TEST(FlowMatchEuler, StepsEqualTheReference) { golden::expect_traces("FlowMatchEulerDiscreteScheduler", 37); }

// Numbers that were taken from the reference itself; 1e-6 as printed.
TEST(FlowMatchEuler, KnownToyRun) {
  const auto scheduler = make_scheduler(Config(kConfig, "test"), {});
  scheduler->set_timesteps(5);
  const double known_sigmas[] = {1, 0.9003591, 0.7511211, 0.5029851, 0.0089286, 0};
  const double known[] = {0.890395, 0.759399, 0.612502, 0.495537, 0.495994};
  Tensor x = at::ones({1, 1});
  for (int i = 0; i < 5; ++i) {
    const double sigma = scheduler->sigmas()[i];
    EXPECT_NEAR(sigma, known_sigmas[i], 1e-6);
    x = scheduler->step(0.3 * x + (sigma * sigma - 0.2), x);
    EXPECT_NEAR(x.item<double>(), known[i], 1e-6) << i;
  }
}

TEST(FlowMatchEuler, TimestepsAreFloat32ForTheTransformer) {
  const auto scheduler = make_scheduler(Config(kConfig, "test"), {});
  scheduler->set_timesteps(4);
  const Tensor timestep = scheduler->timestep(1);
  EXPECT_EQ(timestep.scalar_type(), at::kFloat);
  EXPECT_NEAR(timestep.item<double>(), 857.6923, 1e-4);  // float32 at 857
}

TEST(FlowMatchEuler, UnsupportedSettingsAreNamed) {
  const std::vector<std::pair<std::string, json>> settings = {
      {"stochastic_sampling", "yes"},
      {"use_dynamic_shifting", true},
      {"use_karras_sigmas", true},
      {"use_beta_sigmas", true},
      {"shift", -1.0},
      {"invert_sigmas", 1},
  };
  golden::expect_refused(kConfig, settings);
}

}  // namespace
}  // namespace t2v
