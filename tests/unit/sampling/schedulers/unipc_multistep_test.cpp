#include "sampling/schedulers/unipc_multistep.h"

#include "golden.h"

namespace t2v {
namespace {

using nlohmann::json;

json wan_config() {
  return {{"_class_name", "UniPCMultistepScheduler"},
          {"prediction_type", "flow_prediction"},
          {"use_flow_sigmas", true},
          {"flow_shift", 3.0}};
}

TEST(UniPC, GridsEqualTheReference) { golden::expect_grids("UniPCMultistepScheduler", 70); }

TEST(UniPC, StepsEqualTheReference) { golden::expect_traces("UniPCMultistepScheduler", 100); }

/// x after each of five steps from 1 with the model 0.3 x + sigma^2 - 0.2.
std::vector<double> toy_run(const SchedulerOverrides& overrides) {
  const auto scheduler = make_scheduler(Config(wan_config(), "test"), overrides);
  scheduler->set_timesteps(5);
  Tensor x = at::ones({1, 1});
  std::vector<double> values;
  for (int i = 0; i < 5; ++i) {
    const double sigma = scheduler->sigmas()[i];
    x = scheduler->step(0.3 * x + (sigma * sigma - 0.2), x);
    values.push_back(x.item<double>());
  }
  return values;
}

// Numbers that were taken from both generations of the reference itself. 1e-4: alpha is 1e-6 at the first
// step.
TEST(UniPC, BothGridsGiveTheKnownToyRuns) {
  const std::vector<double> current = toy_run({});
  const std::vector<double> legacy = toy_run({.legacy_flow_sigmas = true});
  const double known_current[] = {0.915484, 0.824634, 0.738466, 0.672009, 0.591927};
  const double known_legacy[] = {0.915412, 0.825323, 0.738409, 0.672012, 0.592777};
  for (int i = 0; i < 5; ++i) {
    EXPECT_NEAR(current[i], known_current[i], 1e-4) << i;
    EXPECT_NEAR(legacy[i], known_legacy[i], 1e-4) << i;
  }
}

TEST(UniPC, TimestepsAreWholeNumbersForTheTransformer) {
  const auto scheduler = make_scheduler(Config(wan_config(), "test"), {});
  scheduler->set_timesteps(4);
  EXPECT_EQ(scheduler->timesteps(), (std::vector<double>{999, 900, 750, 500}));
  const Tensor timestep = scheduler->timestep(2);
  EXPECT_EQ(timestep.scalar_type(), at::kLong);
  EXPECT_EQ(timestep.sizes(), (std::vector<int64_t>{1}));
  EXPECT_EQ(timestep.item<int64_t>(), 750);
}

TEST(UniPC, SetTimestepsForgetsTheLastRun) {
  const auto scheduler = make_scheduler(Config(wan_config(), "test"), {});
  const Tensor x = at::linspace(-1, 1, 6).reshape({1, 6});
  Tensor first[2];
  for (Tensor& result : first) {
    scheduler->set_timesteps(3);
    result = x;
    for (int i = 0; i < 3; ++i) result = scheduler->step(0.5 * result, result);
  }
  EXPECT_TRUE(at::equal(first[0], first[1]));
}

TEST(UniPC, UnsupportedSettingsAreNamed) {
  const std::vector<std::pair<std::string, json>> settings = {
      {"prediction_type", "epsilon"},
      {"prediction_type", nullptr},
      {"use_flow_sigmas", false},
      {"predict_x0", false},
      {"thresholding", true},
      {"solver_type", "bh3"},
      {"solver_order", 4},
      {"solver_order", 0},
      {"final_sigmas_type", "one"},
      {"use_dynamic_shifting", true},
      {"use_karras_sigmas", true},
      {"use_exponential_sigmas", true},
      {"use_beta_sigmas", true},
      {"flow_shift", 0},
      {"flow_shift", "3"},
      {"shift_terminal", 1.0},
      {"disable_corrector", -1},
      {"num_train_timesteps", -1000},
      {"solver_p", json::object()},
  };
  for (const auto& [key, value] : settings) {
    json config = wan_config();
    config[key] = value;
    try {
      make_scheduler(Config(config, "scheduler_config.json"), {});
      ADD_FAILURE() << key << " " << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.what(), testing::HasSubstr("scheduler_config.json"));
      EXPECT_THAT(error.what(), testing::HasSubstr(key));
      const std::string shown = value.is_null() ? "no value" : value.dump();
      EXPECT_THAT(error.what(), testing::HasSubstr(shown));
    }
  }
}

}  // namespace
}  // namespace t2v
